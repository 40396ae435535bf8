// What the HTML report shows, and how it is grouped. `order` is what `telescope report` asks for, see report.mjs.

const tagged = (provider) => ({labels}) => labels.some(({name, value}) => name === "tag" && value === provider);

// One environment a provider: cloud figures and functional ones of `local` are never in one trend.
const environments = {
  aks: {name: "AKS", matcher: tagged("aks")},
  eks: {name: "EKS", matcher: tagged("eks")},
  gke: {name: "GKE", matcher: tagged("gke")},
  local: {name: "local (functional)", matcher: tagged("local")},
};

// Few runs, each of minutes to hours: what became of the last ones and what changed, no shares over thousands of tests.
const charts = [
  {type: "currentStatus", title: "This run"},
  {type: "statusDynamics", title: "Last runs", limit: 20},
  {type: "statusTransitions", title: "Fixed and newly broken, run by run", limit: 20},
  {type: "durationDynamics", title: "How long the runs took", limit: 20},
  {type: "testResultSeverities", title: "By weight of the SLO", includeUnset: true},
];

// Why an item is red, by the line that begins with its verdict; the first rule that matches holds. pytest's reporter for
// Allure puts the exception's class before the message, the trace has the line as it is.
const verdictLine = ({message = "", trace = ""}) => (/^(FAIL|INVALID|ERROR) /.test(message) ? message : trace.split("\n", 1)[0]);
const isRed = ({status}) => status === "failed" || status === "broken";
const red = (pattern) => (found) => isRed(found) && pattern.test(verdictLine(found));
const categories = [
  {name: "Left behind: not destroyed", matchers: red(/^ERROR leak|is not destroyed/), expand: true},
  {name: "No capacity in the cloud", matchers: red(/^ERROR capacity/), expand: true},
  {name: "SLO violated", matchers: red(/^FAIL /), expand: true},
  {name: "Data missing or too thin", matchers: red(/^INVALID /), expand: true},
  {name: "Infrastructure, load or query failed", matchers: red(/^ERROR /), expand: true},
  {name: "Red for a reason that nobody foresaw", matchers: isRed},
];

export const config = (order) => ({
  name: order.name,
  output: order.output,
  historyPath: order.history,
  historyLimit: order.historyLimit,
  appendHistory: true,
  environments,
  variables: order.variables,
  categories,
  globalAttachments: order.attachments,
  hideLabels: ["ALLURE_ID", "as_id", "framework", "language", "package", "thread", "testClass"],
  qualityGate: order.rules.length ? {rules: order.rules} : undefined,
  plugins: {
    awesome: {
      options: {
        singleFile: order.singleFile,
        reportLanguage: "en",
        groupBy: ["parentSuite", "suite", "subSuite"],
        charts,
        sections: ["charts", "timeline"],
        defaultSection: "report",
      },
    },
    agent: {enabled: false, options: {}},
  },
});
