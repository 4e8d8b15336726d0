// Walks the borrower's pages in a real browser, in both languages: sign-in, the account, an action, a verification.
// Each page is checked by axe-core, and photographed on a phone and on a desk, light and dark, to target/browser/.
//
//   npm ci && DUEWATCH=../../target/debug/duewatch node walk.mjs      needs Chromium, and a CJK font for the pictures
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const out = process.env.OUT ?? join(root, "target/browser");
const duewatch = process.env.DUEWATCH ?? join(root, "target/debug/duewatch");
const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const DAY = 86_400_000;
const SECONDS = 1_000;
let passed = 0;

mkdirSync(out, { recursive: true });
const date = (days) => new Date(Date.now() + days * DAY).toISOString().slice(0, 10);

// A loan that is 40 days past due: the sample policy has frozen it.
const contract = {
  account_id: "A-1", customer_id: "C-1", policy_id: "standard", currency: "CNY", time_zone: "Asia/Shanghai",
  opened_on: date(-80),
  installments: [-40, -10, 20, 50].map((days, at) => (
    { number: at + 1, due_on: date(days), principal: "240.00", interest: "10.00" })),
};
writeFileSync(join(out, "book.jsonl"), JSON.stringify(contract) + "\n");

/** The local stack, with the lines that it prints. */
function serve() {
  const process = spawn(duewatch, [
    "serve", ..."--dynamodb-port 0 --sns-port 0 --sqs-port 0 --pages-port 0".split(" "),
    "--book", join(out, "book.jsonl"), "--policy", join(root, "infra/cli/sample/policy.toml"),
  ]);
  const stack = { process, text: "" };
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("data", (bytes) => { stack.text += bytes; });
  }
  /** Waits until the text after `from` matches. */
  stack.says = async (pattern, from = 0) => {
    const until = Date.now() + 60 * SECONDS;
    while (Date.now() < until) {
      const match = stack.text.slice(from).match(pattern);
      if (match) return match;
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error(`never said ${pattern}: ${stack.text.slice(-2_000)}`);
  };
  return stack;
}

/** Sets the phone number of the account's holder, as known for four days. */
async function reach(sqs, queue) {
  const event = {
    event_id: "reach-1", at: new Date(Date.now() - 4 * DAY).toISOString(), type: "contact_changed",
    account_id: "A-1", channel: "sms", contact_point: "+8613800000001", changed_by: "desk",
  };
  const answer = await fetch(sqs, {
    method: "POST",
    headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.SendMessage" },
    body: JSON.stringify({
      QueueUrl: queue, MessageBody: JSON.stringify(event), MessageGroupId: "A-1", MessageDeduplicationId: "reach-1",
    }),
  });
  assert.equal(answer.status, 200, await answer.text());
}

/** Checks a page, and photographs it. */
async function check(page, name) {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`);
  });
  assert.deepEqual(found, [], `${name}: axe-core`);
  for (const scheme of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    const contrast = await page.evaluate(async () => {
      const { violations } = await window.axe.run(document, { runOnly: { type: "rule", values: ["color-contrast"] } });
      return violations.flatMap((one) => one.nodes.map((node) => node.html));
    });
    assert.deepEqual(contrast, [], `${name}, ${scheme}: contrast`);
    for (const [kind, width] of [["phone", 320], ["desk", 1_000]]) {
      await page.setViewport({ width, height: 800 });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `${name}: ${overflow} pixels wider than a ${kind}`);
      await page.screenshot({ path: join(out, `${name}-${scheme}-${kind}.png`), fullPage: true });
    }
  }
  passed += 1;
}

const submit = (page, selector) => Promise.all([page.waitForNavigation(), page.click(selector)]);
const text = (page) => page.evaluate(() => document.body.innerText);

/** Signs in, reads the account, objects, and verifies the message of the code. */
async function walk(browser, stack, url, language, words) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  // The pages hold no script; axe-core needs one.
  await page.setBypassCSP(true);
  await page.goto(`${url}/?lang=${language}`);
  assert.equal(await page.evaluate(() => document.documentElement.lang), words.tag);
  await check(page, `${language}-sign-in`);
  const before = stack.text.length;
  await page.type("#account", "A-1");
  await submit(page, "form[action$='sign-in'] button");
  await check(page, `${language}-code`);
  const [, code] = await stack.says(words.code, before);
  await page.type("#code", "00000000" === code ? "00000001" : "00000000");
  await submit(page, "main form button");
  assert.match(await text(page), words.wrong);
  await check(page, `${language}-wrong-code`);
  await page.type("#code", code);
  await submit(page, "main form button");
  await check(page, `${language}-accounts`);
  await submit(page, "main h2 a");
  assert.match(await text(page), words.restricted);
  await check(page, `${language}-account`);
  // A fault beside its field; then the form as it should be.
  await page.click("#promise summary");
  await page.type("#promise-amount", "0");
  await page.$eval("#promise-by", (field, day) => { field.value = day; }, date(10));
  await submit(page, "#promise button");
  assert.match(await text(page), words.fault);
  assert.equal(await page.$eval("#promise-amount", (field) => field.value), "0");
  await check(page, `${language}-fault`);
  await page.$eval("#promise-amount", (field) => { field.value = "250.00"; });
  await submit(page, "#promise button");
  assert.match(await text(page), words.promised);
  await check(page, `${language}-promised`);
  await submit(page, "main a[href*='policies/']");
  await check(page, `${language}-policy`);
  for (const place of ["help", "budget", "agencies", "verify"]) {
    await page.goto(`${url}/${place}`);
    await check(page, `${language}-${place}`);
  }
  const [, reference] = stack.text.slice(before).match(/"reference":"([A-Z0-9-]+)"/);
  await page.type("#reference", reference.toLowerCase());
  await submit(page, "main form button");
  assert.match(await text(page), words.genuine);
  await check(page, `${language}-genuine`);
  await page.goto(`${url}/nothing`);
  await check(page, `${language}-missing`);
  await page.goto(url);
  await submit(page, "form[action$='sign-out'] button");
  assert.match(await text(page), words.signIn);
  await context.close();
}

const stack = serve();
let browser;
try {
  const [, url] = await stack.says(/pages +(http:\S+)/);
  const [, sqs] = await stack.says(/SQS +(http:\S+)/);
  const [, queue] = await stack.says(/queue +(\S+intake\.fifo) to/);
  await stack.says(/accounts opened/);
  await reach(sqs, queue);
  await stack.says(/"to":"(limited|frozen)"/);
  browser = await puppeteer.launch({
    executablePath: chromium,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
  await walk(browser, stack, url, "en", {
    tag: "en", code: /Code (\d{8})/, wrong: /does not work/, restricted: /your account is restricted/,
    fault: /Write an amount above zero/, promised: /Your promise is recorded/, genuine: /Genuine/, signIn: /Sign in/,
  });
  await walk(browser, stack, url, "zh", {
    tag: "zh-CN", code: /验证码(\d{8})/, wrong: /验证码无效/, restricted: /您的账户受到限制/,
    fault: /大于零的金额/, promised: /您的承诺已记录/, genuine: /真实/, signIn: /登录/,
  });
  console.log(`${passed} passed, 0 failed`);
} finally {
  await browser?.close();
  stack.process.kill();
}
