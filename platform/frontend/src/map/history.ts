// Undo and redo of a map: one command is one entry. What is undone can be done again until
// something else is done.

import {apply, type Command, type MapDocument} from './document.ts';

interface Entry {
  before: MapDocument;
  after: MapDocument;
}

export class History {
  #now: MapDocument;
  #done: Entry[] = [];
  #undone: Entry[] = [];

  constructor(document: MapDocument) {
    this.#now = document;
  }

  get document(): MapDocument {
    return this.#now;
  }

  get canUndo(): boolean {
    return this.#done.length > 0;
  }

  get canRedo(): boolean {
    return this.#undone.length > 0;
  }

  /** Does a command; the result is the step it was about. Throws `EditRefused`, and then nothing changed. */
  run(command: Command): string | null {
    const {document, at} = apply(this.#now, command);
    this.#done.push({before: this.#now, after: document});
    this.#undone = [];
    this.#now = document;
    return at;
  }

  undo(): boolean {
    const entry = this.#done.pop();
    if (!entry) return false;
    this.#undone.push(entry);
    this.#now = entry.before;
    return true;
  }

  redo(): boolean {
    const entry = this.#undone.pop();
    if (!entry) return false;
    this.#done.push(entry);
    this.#now = entry.after;
    return true;
  }

  /** The map as the server has it: the same map in another spelling keeps the history. */
  agree(document: MapDocument): void {
    this.#now = document;
    const last = this.#done.at(-1);
    if (last) last.after = document;
  }

  /** Begins anew, with a map from elsewhere. */
  restart(document: MapDocument): void {
    this.#now = document;
    this.#done = [];
    this.#undone = [];
  }
}
