// node report.mjs ORDER ANSWER: make the HTML report that the JSON file ORDER asks for with the Allure that is installed
// in `order.allure`, and write what became of it to the JSON file ANSWER. Started by `telescope report` only.

import {readFile, writeFile} from "node:fs/promises";
import {join} from "node:path";
import {pathToFileURL} from "node:url";
import {stripVTControlCharacters} from "node:util";

import {config} from "./allurerc.mjs";

const [, , orderFile, answerFile] = process.argv;
const order = JSON.parse(await readFile(orderFile, "utf-8"));
const load = (name) => import(pathToFileURL(join(order.allure, "node_modules", "@allurereport", name, "dist", "index.js")));
const {AllureReport, resolveConfig} = await load("core");
const {allure2, attachments} = await load("reader");

const unreadable = [];

// The same SLO on two providers is one test in two environments, which Allure shows side by side: its id is made of what
// is asked, without where. allure-pytest's own would make all SLOs of all cells one test.
const identity = (raw) => {
  const plain = (name) => raw.parameters?.find((one) => one.name === name)?.value?.replace(/^'(.*)'$/, "$1");
  const cell = plain("cell")?.replace(/^(aks|eks|gke|local)-/, "");
  return cell ? [raw.fullName, cell, plain("slo") ?? ""].join("#") : raw.testId;
};

const watched = (visitor) => new Proxy(visitor, {
  get: (target, name) => name === "visitTestResult"
    ? (raw, context) => target.visitTestResult({...raw, testId: identity(raw)}, context)
    : typeof target[name] === "function" ? target[name].bind(target) : target[name],
});

const reader = {
  ...allure2,
  read: async (visitor, file) => {
    const isRead = await allure2.read(watched(visitor), file).catch(() => false);
    const name = file.getOriginalFileName();
    if (!isRead && /-(result|perf|container)\.json$/.test(name)) {
      unreadable.push(name);
      return true;
    }
    return isRead;
  },
};

// In words, without a terminal's bold; the rules of metrics have none for what was missing or what passed.
const percent = (value) => `${value > 0 ? "+" : ""}${Number(value.toFixed(1))} %`;
const spoken = (result) => {
  const {actual, expected, message} = result;
  if (!result.rule.endsWith("metricMaxDeltaPercent")) {
    return {...result, message: stripVTControlCharacters(message)};
  }
  const isMeasured = Number.isFinite(actual.value);
  const change = isMeasured ? `changed by ${percent(actual.value)}` : "was measured before and is missing now";
  return {...result, message: `${actual.key} ${change}${isMeasured ? `, at most ${expected.value} % for the worse` : ""}`};
};

const report = new AllureReport({...await resolveConfig(config(order), {cwd: process.cwd()}), readers: [reader, attachments]});
await report.start();
for (const folder of order.results) {
  await report.readDirectory(folder);
}
const results = await report.store.allTestResults({includeRetries: false});
const gate = order.rules.length ? (await report.validate({trs: results})).results.map(spoken) : [];
if (gate.length) {
  report.realtimeDispatcher.sendQualityGateResults(gate);
}
await report.done();

const statuses = {};
for (const {status} of results) {
  statuses[status] = (statuses[status] ?? 0) + 1;
}
const broken = gate.filter(({success}) => !success).map(({message}) => message);
await writeFile(answerFile, JSON.stringify({results: results.length, statuses, gate: broken, unreadable}));
