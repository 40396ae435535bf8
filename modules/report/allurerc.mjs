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

// Why an item is red (pytest_telescope/report/allure_categories.yaml), by the line that begins with its verdict. pytest's
// reporter for Allure puts the exception's class before the message, the trace has the line as it is.
const verdictLine = ({message = "", trace = ""}) => (/^(FAIL|INVALID|ERROR) /.test(message) ? message : trace.split("\n", 1)[0]);
const whole = (regex) => new RegExp(`^(?:${regex})$`);
const categoryOf = ({name, messageRegex, matchedStatuses}) => ({
  name,
  matchers: (found) => matchedStatuses.includes(found.status) && whole(messageRegex).test(verdictLine(found)),
  expand: true,
});

export const config = (order) => ({
  name: order.name,
  output: order.output,
  historyPath: order.history,
  historyLimit: order.historyLimit,
  appendHistory: true,
  environments,
  variables: order.variables,
  categories: order.categories.map(categoryOf),
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
