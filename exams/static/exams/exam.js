// The exam in the browser: save as you type, survive a lost connection, tell the time.
// Everything here has a form behind it that works without script.

import { drawnAnswer, enableMoving, readAnswer, writeAnswer } from "./answer.js";
import { Countdown, inWords, short } from "./countdown.js";
import { holdPage, jot, openOutbox, unjot } from "./outbox.js";
import { Sheets } from "./sheets.js";
import { Sender, canonical } from "./sender.js";

const TYPING_PAUSE_MS = 800;
const QUIET_BEFORE_SPEAKING_MS = 2000;
const PROBE_MS = 5000;
const FETCH_ALL_WITHIN_MS = 4000;

// Without a secure context there is no hash to compare, so nothing could truly be called saved.
// The script stops here and the plain form goes on.
if (!crypto.subtle) throw new Error("Saving by script needs HTTPS.");

const find = (selector) => document.querySelector(selector);
const bar = find("[data-exam]");
const closedPage = find("[data-closed]");
// The form on the screen: it changes when another item is shown without loading a page.
let form = find("[data-answer]");
const { attempt, csrf, statusUrl } = (bar ?? closedPage).dataset;
const tab = crypto.randomUUID();
const channel = "BroadcastChannel" in window ? new BroadcastChannel(`exam-${attempt}`) : null;

holdPage(tab);
const outbox = await openOutbox(attempt);
const leftOver = await outbox.all(attempt);
const inherited = new Set(leftOver.map((entry) => entry.id));
const mine = (entry) => entry.clientId === tab || inherited.has(entry.id);
const sender = new Sender({ outbox, attempt, csrf, mine, tell: heard });

// What the candidate is told -----------------------------------------------------------------

function say(region, text) {
  const place = find(region);
  if (!place) return;
  place.textContent = "";
  // A text that is set anew in the next frame is read out although it is the same as before.
  requestAnimationFrame(() => { place.textContent = text; });
}
const speak = (text) => say("[data-polite]", text);
const alarm = (text) => say("[data-alert]", text);

// A notice moves what stands below it. Between the press and the release of a button that would take
// the click away from the link under it, so it waits until the click is done.
let pressed = false;
const untilReleased = [];
addEventListener("pointerdown", () => { pressed = true; }, true);
for (const end of ["pointerup", "pointercancel"]) {
  addEventListener(end, () => setTimeout(() => {
    pressed = false;
    untilReleased.splice(0).forEach((one) => notice(...one));
  }), true);
}

function notice(key, text, link) {
  if (pressed) { untilReleased.push([key, text, link]); return; }
  const board = find("[data-notices]");
  if (!board) return;
  let note = board.querySelector(`[data-notice="${key}"]`);
  if (!text) { note?.remove(); return; }
  if (!note) {
    note = document.createElement("p");
    note.className = "note note--warn";
    note.dataset.notice = key;
    board.append(note);
  }
  note.textContent = text;
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link.href;
    anchor.textContent = link.text;
    note.append(" ", anchor);
  }
}

const clock = (iso) => iso.slice(11, 19);
let lastSaved = find("[data-save-state]")?.dataset.lastSaved ?? "";
let speakLater = 0;
let waitingAnswers = 0;

function showSaveState(state) {
  const place = find("[data-save-state]");
  if (!place) return;
  if (state === "offline" && waitingAnswers > 1) state = "kept";
  place.classList.toggle("save--off", state === "offline" || state === "kept");
  place.classList.toggle("save--busy", state === "saving");
  place.querySelector("[data-save-icon]").hidden = state !== "saved";
  const words = place.querySelector("[data-save-words]");
  words.classList.remove("muted");
  words.textContent = {
    saving: "Saving",
    saved: `Saved ${lastSaved}`,
    offline: `No connection. ${lastSaved ? `Last saved ${lastSaved}` : "Kept on this computer"}`,
    kept: `${waitingAnswers} kept here${lastSaved ? `, last saved ${lastSaved}` : ""}`,
  }[state];
}

// Saving --------------------------------------------------------------------------------------

let seq = 0;
// A quick hand answers before this script runs: what counts as known is what the server drew.
let queued = form ? canonical(drawnAnswer(form)) : "";
let pause = 0;
let wasOffline = false;
let position = form ? Number(form.dataset.position) : 0;

const isDirty = () => Boolean(form) && canonical(readAnswer(form)) !== queued;

// What the form holds now, as the next entry of this page.
function nextEntry() {
  return {
    attempt,
    position,
    url: form.dataset.saveUrl,
    clientId: tab,
    seq: seq + 1,
    baseRev: Number(form.dataset.rev),
    payload: readAnswer(form),
    tried: false,
  };
}

async function countWaiting() {
  const waiting = (await outbox.all(attempt)).filter(mine);
  waitingAnswers = new Set(waiting.map((entry) => entry.position)).size;
}

function takeEntry() {
  const entry = nextEntry();
  queued = canonical(entry.payload);
  seq = entry.seq;
  return entry;
}

// What was jotted down while the entry was written is newer and stays.
function forgetJot(entry) {
  if (entry.position !== position || !isDirty()) unjot(entry);
}

// Into the outbox first. What was not sent yet is replaced, what may have arrived is followed.
async function queueAnswer() {
  if (!isDirty()) return;
  const entry = takeEntry();
  await outbox.write(entry);
  forgetJot(entry);
  await countWaiting();
}

async function saveNow() {
  clearTimeout(pause);
  await queueAnswer();
  return sender.flush();
}

function changed() {
  if (isDirty()) jot(nextEntry());
  else unjot({ attempt, clientId: tab, position });
  showSaveState(wasOffline ? "offline" : "saving");
  clearTimeout(pause);
  pause = setTimeout(saveNow, TYPING_PAUSE_MS);
}

function heard(what, entry, reply) {
  const here = entry.position === position && Boolean(form);
  switch (what) {
    case "saved":
      online();
      lastSaved = clock(reply.received_at);
      countdown?.set(reply.remaining_ms);
      document.dispatchEvent(new CustomEvent("exam-saved"));
      channel?.postMessage({ type: "saved", tab, position: entry.position });
      if (entry.clientId !== tab) restored ||= here || Boolean(closedPage);
      if (here && entry.clientId !== tab) return;
      if (entry.clientId === tab) {
        const sheet = sheetOf(entry.position);
        if (sheet) {
          sheet.querySelector("[data-answer]").dataset.rev = String(reply.rev);
          showReceipt(sheet, reply);
        }
      } else {
        sheets?.forget(entry.position);
      }
      markNavigator(entry.position, reply);
      countWaiting().then(() => { if (!isDirty()) showSaveState(waitingAnswers > 0 ? "saving" : "saved"); });
      clearTimeout(speakLater);
      speakLater = setTimeout(() => speak("Saved"), QUIET_BEFORE_SPEAKING_MS);
      return;
    case "conflict":
      online();
      sheets?.forget(entry.position);
      if (here && !isDirty()) { location.reload(); return; }
      notice(`conflict-${entry.position}`, `Item ${entry.position} was answered differently in another tab. Both answers are kept; look which one counts.`, linkTo(entry.position));
      alarm(`Two different answers for item ${entry.position}.`);
      return;
    case "late":
      online();
      restored ||= Boolean(closedPage);
      notice(`late-${entry.position}`, reply.message);
      alarm(reply.message);
      return;
    case "refused":
      online();
      notice(`refused-${entry.position}`, `Item ${entry.position}: ${reply.message ?? "this answer was not accepted. Load the page again."}`, linkTo(entry.position));
      alarm(`The answer to item ${entry.position} was not saved.`);
      return;
    case "signed-out":
      offline();
      notice("connection", reply?.message ?? "You are signed out. Your answers are kept on this computer. Sign in again in another tab and go on here.", { href: "/accounts/login/", text: "Sign in" });
      return;
    case "offline":
      offline();
      notice("connection", `No connection. ${lastSaved ? `Your last save was ${lastSaved} UTC. ` : ""}We keep your answers on this computer and try again.`);
  }
}

function offline() {
  document.dispatchEvent(new CustomEvent("exam-offline"));
  showSaveState("offline");
  if (!wasOffline) alarm("No connection. Your answers are kept on this computer.");
  wasOffline = true;
}

function online() {
  notice("connection", "");
  notice("leaving", "");
  sendRemarks();
  if (wasOffline) speak("The connection is back.");
  wasOffline = false;
}

const linkTo = (number) => {
  const anchor = find(`[data-go="${number}"]`);
  return anchor ? { href: anchor.href, text: `Open item ${number}` } : undefined;
};

const sheetOf = (number) => (number === position ? find(".exam__item") : sheets?.get(number));

function showReceipt(sheet, reply) {
  const place = sheet.querySelector("[data-receipt]");
  const code = document.createElement("code");
  code.textContent = `${reply.payload_sha256.slice(0, 4)}·${reply.payload_sha256.slice(4, 8)}`;
  place.replaceChildren(`This answer is revision ${reply.rev}, received ${clock(reply.received_at)} UTC, receipt `, code, ".");
}

function markNavigator(number, reply) {
  const anchor = find(`.qnav [data-go="${number}"]`);
  if (!anchor) return;
  anchor.classList.toggle("done", reply.answered);
  if (reply.answered) anchor.dataset.words = "answered";
  else anchor.dataset.words = Object.keys(reply.current).length > 0 ? "begun, not complete" : "no answer";
  describe(anchor);
  const count = find("[data-answered]");
  if (count) count.textContent = String(document.querySelectorAll(".qnav .done").length);
}

// The number alone is no name: which item this is, how it stands, and whether it is flagged.
function describe(anchor) {
  const current = anchor.getAttribute("aria-current") ? "current, " : "";
  const flagged = anchor.querySelector("svg") ? ", flagged" : "";
  anchor.querySelector(".vh").textContent = `, ${current}${anchor.dataset.words}${flagged}`;
}

// The time ------------------------------------------------------------------------------------

async function askStatus() {
  if (sender.cut) throw new TypeError("The connection is cut.");
  const response = await fetch(statusUrl, { credentials: "same-origin", redirect: "error", signal: AbortSignal.timeout(PROBE_MS) });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

let countdown = null;
if (bar) {
  const timer = find("[data-timer]");
  const small = timer.querySelector("small");
  countdown = new Countdown({
    remainingMs: Number(bar.dataset.remainingMs),
    allowedMs: Number(bar.dataset.allowedMs),
    ask: async () => (await askStatus()).remaining_ms,
    show: (left) => {
      const text = `${short(left)} `;
      if (timer.firstChild !== small) timer.firstChild.textContent = text;
      else timer.prepend(text);
      timer.classList.toggle("timer--last", left <= 60000);
    },
    speak,
    onZero: timeIsOver,
  });
  countdown.start();

  const hide = find("[data-hide-time]");
  const showTime = (shown) => {
    timer.hidden = !shown;
    hide.setAttribute("aria-pressed", String(!shown));
  };
  hide.hidden = false;
  showTime(sessionStorage.getItem("exam-time") !== "hidden");
  hide.addEventListener("click", () => {
    showTime(timer.hidden);
    sessionStorage.setItem("exam-time", timer.hidden ? "hidden" : "shown");
  });
}

// On request, whatever is hidden: with the key, or with the rehearsal's button.
function tellTime() {
  if (countdown) speak(`${inWords(countdown.leftMs)} left.`);
}
document.addEventListener("keydown", (event) => {
  if (event.altKey && !event.ctrlKey && !event.metaKey && event.code === "KeyT") { event.preventDefault(); tellTime(); }
});
document.addEventListener("exam-tell-time", tellTime);
document.addEventListener("exam-cut", ({ detail }) => {
  sender.cut = detail;
  if (!detail) sender.flush();
});

async function timeIsOver() {
  // The server decides: an examiner may have added time that this page has not heard of.
  if ((await countdown.resync()) && countdown.leftMs > 0) return;
  alarm("The time is over. What you answered is handed in.");
  notice("over", "The time is over. What you answered is being handed in.");
  await saveNow();
  try {
    const body = new URLSearchParams({ csrfmiddlewaretoken: sender.csrf });
    await fetch(bar.dataset.handInUrl, { method: "POST", body, credentials: "same-origin" });
    location.assign(bar.dataset.receiptUrl);
  } catch {
    notice("over", "The time is over and there is no connection. Keep this page open: your answers are on this computer and are sent when it is back.");
    setTimeout(timeIsOver, 3000);
  }
}

// Moving between items --------------------------------------------------------------------------

const grid = find("[data-sheets-url]");
const sheets = grid ? new Sheets({ url: grid.dataset.sheetsUrl, ready: prepareSheet }) : null;
const itemUrl = (number) => find(`.qnav [data-go="${number}"]`)?.href;

// The other items are fetched once, a moment after the first, so that a hall full of computers that
// start together does not ask for everything in the same second.
async function loadSheets() {
  if (await sheets.load()) find("[data-all-here]")?.removeAttribute("hidden");
  else setTimeout(loadSheets, PROBE_MS);
}
if (sheets) setTimeout(loadSheets, FETCH_ALL_WITHIN_MS * Math.random());

function prepareSheet(sheet) {
  enableMoving(sheet.querySelector("[data-answer]"), { changed, speak });
  if (sheets?.complete) sheet.querySelector("[data-all-here]")?.removeAttribute("hidden");
}

// Another item: out of memory where it is there, connection or not; as a page where it is not.
async function goTo(target) {
  const number = Number(target);
  if (!sheets || !number || !sheets.get(number)) { leaveFor(itemUrl(target) ?? find(`[data-go="${target}"]`).href); return; }
  await settle();
  show(number);
  history.pushState({ item: number }, "", itemUrl(number));
  sender.flush();
}

// Everything typed is in the outbox, also what was typed while it was written there.
async function settle() {
  clearTimeout(pause);
  do await queueAnswer(); while (isDirty());
}

function show(number) {
  const old = find(".exam__item");
  sheets.put(position, old);
  const sheet = sheets.get(number);
  old.replaceWith(sheet);
  find(`.qnav [data-go="${position}"]`)?.removeAttribute("aria-current");
  const anchor = find(`.qnav [data-go="${number}"]`);
  const before = find(`.qnav [data-go="${position}"]`);
  position = number;
  form = sheet.querySelector("[data-answer]");
  queued = canonical(readAnswer(form));
  anchor.setAttribute("aria-current", "step");
  if (anchor.dataset.words === "not looked at yet") anchor.dataset.words = "no answer";
  [before, anchor].filter(Boolean).forEach(describe);
  document.title = document.title.replace(/\d+/, String(number));
  // Where a page would begin: at its heading, which a screen reader then reads.
  const heading = sheet.querySelector("h1");
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  scrollTo(0, 0);
  remark(`seen/${number}`, form.dataset.seenUrl, {});
}

addEventListener("popstate", async () => {
  const number = Number(location.pathname.match(/items\/(\d+)\//)?.[1] ?? position);
  // A jump within the page comes by here as well.
  if (number === position) return;
  if (!sheets?.get(number)) { location.reload(); return; }
  await settle();
  show(number);
  sender.flush();
});

// A page that cannot be loaded would take the answer's place on the screen, so ask first.
async function leaveFor(href) {
  const sent = await saveNow();
  try {
    countdown?.set((await askStatus()).remaining_ms);
  } catch {
    offline();
    notice("leaving", "The next page cannot be loaded yet. Your answer is kept on this computer. Press again when the connection is back.");
    return;
  }
  if (sent) location.assign(href);
}

if (form) {
  prepareSheet(find(".exam__item"));
  const ours = (event) => form.contains(event.target);
  document.addEventListener("input", (event) => { if (ours(event)) changed(); });
  document.addEventListener("focusout", (event) => { if (ours(event) && isDirty()) saveNow(); });
  document.addEventListener("submit", (event) => {
    const go = event.submitter?.value ?? "stay";
    if (!ours(event) || go === "use-kept") return;
    event.preventDefault();
    if (go === "flag" || go === "unflag") { toggleFlag(event.submitter); return; }
    if (go === "clear") { writeAnswer(form, {}); changed(); saveNow(); return; }
    if (find(`[data-go="${go}"]`)) goTo(go);
    else saveNow();
  });
}

function toggleFlag(button) {
  const flagged = button.value === "flag";
  button.value = flagged ? "unflag" : "flag";
  button.setAttribute("aria-pressed", String(flagged));
  const anchor = find(`.qnav [data-go="${position}"]`);
  if (flagged) anchor?.append(button.querySelector("svg").cloneNode(true));
  else anchor?.querySelector("svg")?.remove();
  if (anchor) describe(anchor);
  speak(flagged ? "Flagged" : "Flag removed");
  remark(`flag/${position}`, form.dataset.flagUrl, { flagged: String(flagged) });
}

// Flags and “seen” have no influence on the score. They are sent when they can be; the last word on
// an item counts.
const remarks = new Map();

function remark(name, url, fields) {
  remarks.set(name, { url, fields });
  sendRemarks();
}

async function sendRemarks() {
  for (const [name, { url, fields }] of [...remarks]) {
    const body = new URLSearchParams({ csrfmiddlewaretoken: sender.csrf, ...fields });
    try {
      const response = await fetch(url, { method: "POST", body, credentials: "same-origin", redirect: "error" });
      if (!response.ok && response.status >= 500) throw new Error(String(response.status));
    } catch {
      return;
    }
    if (remarks.get(name)?.fields === fields) remarks.delete(name);
  }
}

for (const anchor of document.querySelectorAll("[data-go]")) {
  anchor.addEventListener("click", (event) => {
    if (!bar || !anchor.href || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    goTo(anchor.dataset.go);
  });
}

// Forms that lead away, a pause or the next item for good: first everything has to arrive.
for (const leaving of document.querySelectorAll("form[data-leave]")) {
  leaving.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await saveNow()) leaving.submit();
    else notice("leaving", "Your answer has not arrived yet, so you stay here. Press again when the connection is back.");
  });
}

// What is still on this computer has to arrive before the hand-in, or it would not count.
const handIn = find("[data-hand-in]");
handIn?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const sent = await sender.flush();
  try {
    if (!sent) throw new Error("answers wait");
    await askStatus();
    handIn.submit();
  } catch {
    offline();
    notice("leaving", "Not handed in: there is no connection, and answers may still wait on this computer. Press again when the connection is back. If the time ends first, what is saved is handed in.");
  }
});

// Going away and coming back -----------------------------------------------------------------

function lastWords() {
  if (!isDirty()) return;
  clearTimeout(pause);
  const entry = takeEntry();
  // Not waited for: there may be no later. The same answer may then arrive twice and counts once.
  jot(entry);
  outbox.add(entry).then(() => forgetJot(entry), () => {});
  sender.sendLast(entry);
}
addEventListener("pagehide", lastWords);
document.addEventListener("visibilitychange", () => { if (document.hidden) lastWords(); });
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
addEventListener("online", () => { sender.flush(); sendRemarks(); });
addEventListener("offline", () => { if (bar) offline(); });

// Two tabs ------------------------------------------------------------------------------------

const tellOfOtherTab = () => notice("tabs", "This exam is open in another tab as well. Work in one of them. If both answer one item, both answers are kept and you choose.");
channel?.addEventListener("message", async ({ data }) => {
  if (data.tab === tab) return;
  if (data.type === "hello") { channel.postMessage({ type: "here", tab }); tellOfOtherTab(); }
  if (data.type === "here") tellOfOtherTab();
  if (data.type === "bye") notice("tabs", "");
  if (data.type === "saved" && data.position !== position) sheets?.forget(data.position);
  if (data.type === "saved" && data.position === position && form && !isDirty()) {
    const waiting = (await outbox.all(attempt)).some(mine);
    // An answer of this tab that is still on its way meets the other one at the server.
    if (!waiting) location.reload();
  }
});
if (bar) {
  channel?.postMessage({ type: "hello", tab });
  addEventListener("pagehide", () => channel?.postMessage({ type: "bye", tab }));
}

// Start: send what an earlier page could not ------------------------------------------------------

let restored = false;
if (leftOver.length > 0) {
  const last = leftOver.findLast((entry) => entry.position === position);
  const sent = await sender.flush();
  // The page was drawn before the answer arrived, so it shows an older one.
  if (restored && !isDirty()) location.reload();
  else if (!sent && last && form && !isDirty()) {
    writeAnswer(form, last.payload);
    queued = canonical(last.payload);
  }
}

if (isDirty()) changed();

// After the hand-in: wait for the result ----------------------------------------------------------

if (closedPage && find("[data-waiting]")) {
  const link = find("[data-result]");
  link.hidden = true;
  const look = async () => {
    try {
      if ((await askStatus()).state === "released") {
        find("[data-waiting]").textContent = "Your result is ready.";
        link.hidden = false;
        return;
      }
    } catch { /* the next look will tell */ }
    setTimeout(look, 2000);
  };
  look();
}
