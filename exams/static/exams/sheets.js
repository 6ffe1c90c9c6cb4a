// The items of the form, in memory: a candidate whose connection is gone can go on with them.
// Nothing of it is written to the disk, where it could be read after the exam.

const PATIENCE_MS = 15000;

export class Sheets {
  #url;
  #ready;
  #sheets = new Map();
  #forgotten = new Set();
  #complete = false;

  // `ready(sheet)` hears of each item that was made, to bring its buttons to life.
  constructor({ url, ready }) {
    this.#url = url;
    this.#ready = ready;
  }

  // Whether every item is here.
  get complete() {
    return this.#complete;
  }

  // The element of an item, or undefined. An item that was answered elsewhere has to be loaded anew.
  get(position) {
    return this.#sheets.get(position);
  }

  // Keep what was on the screen, with everything that was typed into it.
  put(position, element) {
    if (!this.#forgotten.has(position)) this.#sheets.set(position, element);
  }

  forget(position) {
    this.#sheets.delete(position);
    this.#forgotten.add(position);
  }

  // Fetch what is not here yet; true when it came.
  async load() {
    try {
      const response = await fetch(this.#url, { credentials: "same-origin", redirect: "error", cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      if (!response.ok) return false;
      const { sheets } = await response.json();
      this.#complete = true;
      for (const [position, html] of Object.entries(sheets)) this.#add(Number(position), html);
      return true;
    } catch {
      return false;
    }
  }

  #add(position, html) {
    if (this.#sheets.has(position) || this.#forgotten.has(position)) return;
    const made = document.createElement("template");
    made.innerHTML = html;
    const sheet = made.content.firstElementChild;
    this.#sheets.set(position, sheet);
    this.#ready(sheet);
  }
}
