// The workbench while somebody writes: save the draft, show how the text is understood.
// Everything here also works without it: "Run" saves, and the page shows the reading after a reload.

const form = document.querySelector('#work');
const textarea = form.querySelector('textarea');
const editor = form.querySelector('prompt-editor');
const token = form.querySelector('[name=csrfmiddlewaretoken]').value;
const rules = document.querySelector('[data-rules]');
const foot = document.querySelector('[data-foot]');
const count = document.querySelector('[data-count]');
const saveState = document.querySelector('[data-save]');
const saveWords = saveState.querySelector('[data-save-words]');

const READ_AFTER_MS = 500;
const SAVE_AFTER_MS = 1500;
let revision = Number(form.dataset.revision) || null;
let readTimer = 0;
let saveTimer = 0;
let reading = null;
let saving = false;
let unsaved = false;

const post = (url, fields, signal) =>
  fetch(url, {
    method: 'POST',
    headers: {'X-CSRFToken': token, Accept: 'application/json'},
    body: new URLSearchParams(fields),
    signal,
  });

async function read() {
  reading?.abort();
  reading = new AbortController();
  try {
    const answer = await post(form.dataset.read, {text: textarea.value}, reading.signal);
    const piece = await answer.json();
    if (!answer.ok) {
      foot.textContent = piece.message ?? '';
      return;
    }
    rules.innerHTML = piece.html; // rendered and escaped by the server
    foot.textContent = piece.foot;
    if (count) count.textContent = piece.count;
    if (editor?.classList.contains('is-ready')) editor.marks = piece.marks;
  } catch (problem) {
    if (problem.name !== 'AbortError') foot.textContent = 'No connection: the reading is not up to date.';
  }
}

async function save() {
  if (saving) return;
  saving = true;
  unsaved = false;
  try {
    const fields = {text: textarea.value};
    if (revision !== null) fields.over = revision;
    const answer = await post(form.dataset.draft, fields);
    const said = await answer.json();
    if (answer.ok) {
      revision = said.revision;
      show(`Saved ${said.saved}`, false);
    } else {
      show(said.message, true);
    }
  } catch {
    unsaved = true;
    show('Not saved: no connection. Your text stays on this page.', true);
    saveTimer = setTimeout(save, 5000);
  } finally {
    saving = false;
    if (unsaved && !saveTimer) save();
  }
}

function show(words, bad) {
  saveWords.textContent = words;
  saveState.classList.toggle('bad', bad);
}

textarea.addEventListener('input', () => {
  unsaved = true;
  clearTimeout(readTimer);
  clearTimeout(saveTimer);
  readTimer = setTimeout(read, READ_AFTER_MS);
  saveTimer = setTimeout(() => {
    saveTimer = 0;
    save();
  }, SAVE_AFTER_MS);
});

form.addEventListener('submit', () => {
  unsaved = false;
  clearTimeout(saveTimer);
});

window.addEventListener('beforeunload', (event) => {
  if (unsaved) event.preventDefault();
});

// A link to a line works in the plain textarea too.
document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href^="#line-"]');
  if (!link || editor?.classList.contains('is-ready')) return;
  event.preventDefault();
  const number = Number(link.hash.slice('#line-'.length));
  const lines = textarea.value.split('\n');
  const start = lines.slice(0, number - 1).reduce((sum, line) => sum + line.length + 1, 0);
  textarea.focus();
  textarea.setSelectionRange(start, start + (lines[number - 1] ?? '').length);
});

for (const button of document.querySelectorAll('[data-insert]')) {
  button.hidden = false;
  button.addEventListener('click', () => {
    const lines = textarea.value.split('\n');
    const {insert, after, replaces} = button.dataset;
    if (replaces) lines[Number(replaces) - 1] = insert;
    else lines.splice(Number(after), 0, insert);
    const text = lines.join('\n');
    if (editor?.classList.contains('is-ready')) {
      editor.value = text;
      editor.goTo(replaces ? Number(replaces) : Number(after) + 1);
    } else {
      textarea.value = text;
      textarea.dispatchEvent(new Event('input', {bubbles: true}));
      textarea.focus();
    }
    button.disabled = true;
    button.textContent = 'Inserted. Run it again.';
  });
}

// The chosen version opens at once; the button beside it is for those without this script.
for (const chooser of document.querySelectorAll('[data-versions]')) {
  chooser.querySelector('button').hidden = true;
  chooser.querySelector('select').addEventListener('change', () => chooser.submit());
}

// A run that waits for a grader: look every few seconds, say when it is there, and leave it to the
// learner when to load the page, since she may be writing.
const waiting = document.querySelector('[data-waiting]');

async function lookForGrade() {
  try {
    const link = waiting.querySelector('a');
    const answer = await fetch(link.href);
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    if (answer.ok && !page.querySelector('[data-waiting]')) {
      waiting.querySelector('p').replaceChildren(waiting.dataset.ready, ' ', link);
      return;
    }
  } catch { /* the next look will tell */ }
  setTimeout(lookForGrade, 3000);
}

if (waiting) setTimeout(lookForGrade, 3000);
