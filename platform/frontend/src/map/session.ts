// One map being edited: each command is done here at once and sent to the server, which decides.
// When the server refuses, its map takes the place of this one and the sentence is passed on.

import {EditRefused, type Command, type MapDocument} from './document.ts';
import {History} from './history.ts';

export interface Finding {
  code: string;
  severity: string;
  says: string;
  node: string | null;
}

/** What the server says about the map. */
export interface Answer {
  document: MapDocument | null;
  revision: number;
  findings: Finding[];
  undo: string;
  redo: string;
}

interface Problem {
  message: string;
  field: string | null;
}

type Message = {commands: Command[]} | {history: 'undo' | 'redo'};
export type Send = (body: string) => Promise<{ok: boolean; status: number; data: any}>;

/** The server has other words for the map than those that were sent; they are for people. */
export class Refused extends Error {
  problems: Problem[];

  constructor(message: string, problems: Problem[] = []) {
    super(message);
    this.problems = problems;
  }
}

export const OFFLINE = 'Not saved: no connection. The last edit was taken back on this page; try again.';

export class Session {
  history: History;
  findings: Finding[];
  revision: number;
  #before: {undo: string; redo: string};
  #send: Send;
  #changed: () => void;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(answer: Answer & {document: MapDocument}, send: Send, changed: () => void) {
    this.history = new History(answer.document);
    this.findings = answer.findings;
    this.revision = answer.revision;
    this.#before = {undo: answer.undo, redo: answer.redo};
    this.#send = send;
    this.#changed = changed;
  }

  get document(): MapDocument {
    return this.history.document;
  }

  get canUndo(): boolean {
    return this.history.canUndo || this.#before.undo !== '';
  }

  get canRedo(): boolean {
    return this.history.canRedo || this.#before.redo !== '';
  }

  /** Does a command. Resolves to the server's words about it; rejects with `Refused` or `EditRefused`. */
  async run(command: Command): Promise<{says: string; at: string | null}> {
    const at = this.history.run(command);
    this.#changed();
    const says = await this.#tell({commands: [command]}, () => this.history.undo());
    return {says, at};
  }

  async undo(): Promise<string> {
    const here = this.history.undo();
    if (here) this.#changed();
    return this.#tell({history: 'undo'}, () => here && this.history.redo());
  }

  async redo(): Promise<string> {
    const here = this.history.redo();
    if (here) this.#changed();
    return this.#tell({history: 'redo'}, () => here && this.history.undo());
  }

  /** Messages go one after the other, each over the revision that the one before it made. */
  #tell(message: Message, takeBack: () => void): Promise<string> {
    this.#waiting += 1;
    const turn = this.#turn.then(async () => {
      let answer;
      try {
        answer = await this.#send(JSON.stringify({over: this.revision, ...message}));
      } catch {
        this.#waiting -= 1;
        takeBack();
        this.#changed();
        throw new Refused(OFFLINE);
      }
      this.#waiting -= 1;
      const {ok, data} = answer;
      if (ok) this.#accept(data, 'history' in message);
      else {
        // The same revision: nothing but this edit is wrong. Another: somebody else was here.
        if (data.document && data.revision !== this.revision) this.#start(data);
        else takeBack();
        this.#changed();
        throw new Refused(data.message ?? OFFLINE, data.problems ?? []);
      }
      this.#changed();
      return String(data.says ?? '');
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #accept(data: Answer & {document: MapDocument}, moved: boolean): void {
    this.revision = data.revision;
    this.findings = data.findings;
    this.#before = {undo: data.undo, redo: data.redo};
    if (!data.document || this.#waiting > 0) return;
    if (JSON.stringify(data.document) === JSON.stringify(this.document)) return;
    // An undo of what another view did: the server's map is another one than ours.
    if (moved) this.history.restart(data.document);
    else this.history.agree(data.document);
  }

  #start(data: Answer & {document: MapDocument}): void {
    this.revision = data.revision;
    this.findings = data.findings;
    this.#before = {undo: data.undo, redo: data.redo};
    this.history.restart(data.document);
  }
}

export {EditRefused};
