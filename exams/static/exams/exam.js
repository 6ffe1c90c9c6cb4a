// The exam in the browser: save as you type, survive a lost connection, tell the time.
// Everything here has a form behind it that works without script.

import { enableMoving, readAnswer, writeAnswer } from "./answer.js";
import { Countdown, short } from "./countdown.js";
import { holdPage, jot, openOutbox, unjot } from "./outbox.js";
import { Sender, canonical } from "./sender.js";

const TYPING_PAUSE_MS = 800;
const QUIET_BEFORE_SPEAKING_MS = 2000;
const PROBE_MS = 5000;

// Without a secure context there is no hash to compare, so nothing could truly be called saved.
// The script stops here and the plain form goes on.
if (!crypto.subtle) throw new Error("Saving by script needs HTTPS.");

const find = (selector) => document.querySelector(selector);
const bar = find("[data-exam]");
const closedPage = find("[data-closed]");
const form = find("[data-answer]");
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

function notice(key, text, link) {
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

function showSaveState(state) {
  const place = find("[data-save-state]");
  if (!place) return;
  place.classList.toggle("save--off", state === "offline");
  place.classList.toggle("save--busy", state === "saving");
  place.querySelector("[data-save-icon]").hidden = state !== "saved";
  const words = place.querySelector("[data-save-words]");
  words.classList.remove("muted");
  words.textContent = {
    saving: "Saving",
    saved: `Saved ${lastSaved}`,
    offline: `No connection. ${lastSaved ? `Last saved ${lastSaved}` : "Kept on this computer"}`,
  }[state];
}

// Saving --------------------------------------------------------------------------------------

let seq = 0;
let queued = form ? canonical(readAnswer(form)) : "";
let pause = 0;
let wasOffline = false;
const position = form ? Number(form.dataset.position) : 0;

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

function takeEntry() {
  const entry = nextEntry();
  queued = canonical(entry.payload);
  seq = entry.seq;
  return entry;
}

// What was jotted down while the entry was written is newer and stays.
function forgetJot(entry) {
  if (!isDirty()) unjot(entry);
}

// Into the outbox first. What was not sent yet is replaced, what may have arrived is followed.
async function queueAnswer() {
  if (!isDirty()) return;
  const entry = takeEntry();
  const waiting = (await outbox.all(attempt)).findLast((one) => one.clientId === tab && one.position === position);
  if (waiting && !waiting.tried) await outbox.put({ ...waiting, payload: entry.payload });
  else await outbox.add(entry);
  forgetJot(entry);
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
      channel?.postMessage({ type: "saved", tab, position: entry.position });
      if (entry.clientId !== tab) restored ||= here || Boolean(closedPage);
      if (here && entry.clientId !== tab) return;
      if (here) {
        form.dataset.rev = String(reply.rev);
        showReceipt(reply);
        markNavigator(reply);
      }
      if (!isDirty()) showSaveState("saved");
      clearTimeout(speakLater);
      speakLater = setTimeout(() => speak("Saved"), QUIET_BEFORE_SPEAKING_MS);
      return;
    case "conflict":
      online();
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
  showSaveState("offline");
  if (!wasOffline) alarm("No connection. Your answers are kept on this computer.");
  wasOffline = true;
}

function online() {
  notice("connection", "");
  notice("leaving", "");
  if (wasOffline) speak("The connection is back.");
  wasOffline = false;
}

const linkTo = (number) => {
  const anchor = find(`[data-go="${number}"]`);
  return anchor ? { href: anchor.href, text: `Open item ${number}` } : undefined;
};

function showReceipt(reply) {
  const place = find("[data-receipt]");
  const code = document.createElement("code");
  code.textContent = `${reply.payload_sha256.slice(0, 4)}·${reply.payload_sha256.slice(4, 8)}`;
  place.replaceChildren(`This answer is revision ${reply.rev}, received ${clock(reply.received_at)} UTC, receipt `, code, ".");
}

function markNavigator(reply) {
  find(`[data-go="${position}"]`)?.classList.toggle("done", reply.answered);
  const count = find("[data-answered]");
  if (count) count.textContent = String(document.querySelectorAll(".qnav .done").length);
}

// The time ------------------------------------------------------------------------------------

async function askStatus() {
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
  form.addEventListener("input", changed);
  form.addEventListener("focusout", () => { if (isDirty()) saveNow(); });
  enableMoving(form, { changed, speak });

  form.addEventListener("submit", (event) => {
    const go = event.submitter?.value ?? "stay";
    if (go === "use-kept") return;
    event.preventDefault();
    if (go === "flag" || go === "unflag") { toggleFlag(event.submitter); return; }
    if (go === "clear") { writeAnswer(form, {}); changed(); saveNow(); return; }
    const anchor = find(`[data-go="${go}"]`);
    if (anchor) leaveFor(anchor.href);
    else saveNow();
  });
}

async function toggleFlag(button) {
  const flagged = button.value === "flag";
  const body = new URLSearchParams({ csrfmiddlewaretoken: sender.csrf, flagged: String(flagged) });
  try {
    const response = await fetch(form.dataset.flagUrl, { method: "POST", body, credentials: "same-origin", redirect: "error" });
    if (!response.ok) throw new Error(String(response.status));
  } catch {
    alarm("The flag could not be set. Try again when the connection is back.");
    return;
  }
  button.value = flagged ? "unflag" : "flag";
  button.setAttribute("aria-pressed", String(flagged));
  const anchor = find(`[data-go="${position}"]`);
  if (flagged) anchor?.append(button.querySelector("svg").cloneNode(true));
  else anchor?.querySelector("svg")?.remove();
  speak(flagged ? "Flagged" : "Flag removed");
}

for (const anchor of document.querySelectorAll("[data-go]")) {
  anchor.addEventListener("click", (event) => {
    if (!bar || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    leaveFor(anchor.href);
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
addEventListener("online", () => sender.flush());
addEventListener("offline", () => { if (bar) offline(); });

// Two tabs ------------------------------------------------------------------------------------

const tellOfOtherTab = () => notice("tabs", "This exam is open in another tab as well. Work in one of them. If both answer one item, both answers are kept and you choose.");
channel?.addEventListener("message", async ({ data }) => {
  if (data.tab === tab) return;
  if (data.type === "hello") { channel.postMessage({ type: "here", tab }); tellOfOtherTab(); }
  if (data.type === "here") tellOfOtherTab();
  if (data.type === "bye") notice("tabs", "");
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
