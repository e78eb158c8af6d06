// Opens pages in Chromium and prints, as JSON, what axe-core and a user of the page find.
//
//     node check.mjs CHROMIUM PAGE...
//
// Each page is looked at in light and dark, on a desk and on a phone, as a reader has it: with its own policy (CSP) in
// force and everything unfolded. axe-core is run in a world of its own, which the policy does not reach.
import { readFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [executablePath, ...pages] = process.argv.slice(2);
const axe = readFileSync(fileURLToPath(import.meta.resolve("axe-core")), "utf8");
const profile = mkdtempSync(join(tmpdir(), "gradmark-browser-"));
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const found = [];

const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args });
try {
  for (const path of pages) {
    const page = await context.newPage();
    const said = [], asked = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(String(error)));
    page.on("request", (request) => asked.push(request.url()));
    for (const colorScheme of ["light", "dark"]) {
      for (const [device, width, height] of [["desk", 1280, 900], ["phone", 390, 844]]) {
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme });
        await page.goto(pathToFileURL(path).href);
        await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
        const session = await context.newCDPSession(page);
        const { frameTree } = await session.send("Page.getFrameTree");
        const { executionContextId: contextId } = await session.send("Page.createIsolatedWorld",
          { frameId: frameTree.frame.id, worldName: "axe" });
        const run = `${axe}; axe.run(document, { resultTypes: ["violations"] }).then((r) => r.violations.map((v) =>
          v.id + ": " + v.nodes.map((n) => n.html.slice(0, 200)).join(" | ")))`;
        const { result, exceptionDetails } = await session.send("Runtime.evaluate",
          { expression: run, contextId, awaitPromise: true, returnByValue: true });
        if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        found.push({ path, colorScheme, device, violations: result.value, wider: wide - width });
      }
    }
    const use = await page.evaluate(useOverview);
    found.push({ path, said, asked: asked.filter((url) => !url.startsWith("file:")), use });
    await page.close();
  }
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
console.log(JSON.stringify(found));

// Finds, filters and sorts as a reader would; null where there is no table of students.
function useOverview() {
  const form = document.getElementById("find");
  if (!form) return null;
  const rows = () => [...document.querySelectorAll("#class tbody tr")].filter((row) => !row.hidden);
  const names = () => rows().map((row) => row.cells[0].textContent.trim());
  const set = (field, value) => { field.value = value; field.dispatchEvent(new Event("input", { bubbles: true })); };
  const all = names();
  set(form.q, all[3]);
  const one = names(), said = document.getElementById("found").textContent;
  set(form.q, "");
  set(form.verdict, "failed");
  const failed = rows().map((row) => row.dataset.is);
  set(form.verdict, "");
  document.querySelector("#class th button").click();
  const sorted = names();
  const column = document.querySelector("a[data-bin]");
  column.click();
  return { shown: !form.hidden, all, one, said, failed, sorted, column: rows().map((row) => row.dataset.bin),
    wanted: column.dataset.bin };
}
