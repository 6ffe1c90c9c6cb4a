// Reads an answer out of the form of one item, and writes one into it.

const READ = {
  single: (form) => {
    const chosen = form.querySelector("input[name=choice]:checked");
    return chosen ? { choice: chosen.value } : {};
  },
  multiple: (form) => {
    const chosen = [...form.querySelectorAll("input[name=choices]:checked")].map((box) => box.value);
    return chosen.length > 0 ? { choices: chosen.sort() } : {};
  },
  numeric: (form) => {
    const typed = form.elements.number.value.trim().replace(/\s+/g, " ");
    return typed ? { number: typed } : {};
  },
  ordering: (form) => {
    const positions = {};
    for (const select of selects(form, "place-")) if (select.value) positions[idOf(select)] = Number(select.value);
    return Object.keys(positions).length > 0 ? { positions } : {};
  },
  matching: (form) => {
    const pairs = {};
    for (const select of selects(form, "pair-")) if (select.value) pairs[idOf(select)] = select.value;
    return Object.keys(pairs).length > 0 ? { pairs } : {};
  },
  hotspot: (form) => {
    const lines = [...form.querySelectorAll("input[name=lines]:checked")].map((box) => Number(box.value));
    return lines.length > 0 ? { lines: lines.sort((one, other) => one - other) } : {};
  },
  text: (form) => {
    const words = form.elements.text.value.trim().replace(/\s+/g, " ");
    return words ? { text: words } : {};
  },
  written: (form) => typedText(form),
  prompt: (form) => typedText(form),
  map: (form) => typedText(form),
};

const typedText = (form) => (form.elements.text.value.trim() ? { text: form.elements.text.value } : {});

const selects = (form, prefix) => [...form.querySelectorAll(`select[name^="${prefix}"]`)];
const idOf = (select) => select.name.slice(select.name.indexOf("-") + 1);

export function readAnswer(form) {
  return READ[form.dataset.kind](form);
}

// The answer that the server drew into the form, whatever was entered since.
export function drawnAnswer(form) {
  const copy = form.cloneNode(true);
  copy.reset();
  return readAnswer(copy);
}

export function writeAnswer(form, payload) {
  const chosen = new Set([payload.choice, ...(payload.choices ?? []), ...(payload.lines ?? []).map(String)]);
  for (const box of form.querySelectorAll("input[type=radio], input[type=checkbox]")) box.checked = chosen.has(box.value);
  if (form.elements.number) form.elements.number.value = payload.number ?? "";
  if (form.elements.text) form.elements.text.value = payload.text ?? "";
  for (const select of selects(form, "place-")) select.value = payload.positions?.[idOf(select)] ?? "";
  for (const select of selects(form, "pair-")) select.value = payload.pairs?.[idOf(select)] ?? "";
}

// "Move up" and "Move down" for putting steps in order: the first press places them all.
export function enableMoving(form, { changed, speak }) {
  const list = form.querySelector("[data-order]");
  if (!list) return;
  const steps = () => [...list.children];
  const number = () => steps().forEach((step, index) => { step.querySelector("select").value = String(index + 1); });
  const byPlace = (step) => Number(step.querySelector("select").value) || 99;
  for (const button of list.querySelectorAll("[data-move]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const ordered = steps().map((step, index) => ({ step, index })).sort((one, other) => byPlace(one.step) - byPlace(other.step) || one.index - other.index).map(({ step }) => step);
      const step = button.closest("li");
      const from = ordered.indexOf(step);
      const to = from + Number(button.dataset.move);
      if (to >= 0 && to < ordered.length) ordered.splice(to, 0, ...ordered.splice(from, 1));
      list.append(...ordered);
      number();
      button.focus();
      speak(`${step.querySelector(".opt__key").textContent} is now ${ordered.indexOf(step) + 1} of ${ordered.length}.`);
      changed();
    });
  }
}
