// <prompt-editor> turns the <textarea> inside it into an editor with line numbers and marks.
// The textarea stays the form's value and is all there is when this script does not run.
//
//   <prompt-editor marks='[{"line": 4, "mark": "rule", "say": "two rules"}]'>
//     <textarea name="prompt" id="prompt" aria-describedby="prompt-help">...</textarea>
//   </prompt-editor>
//
// For scripts of a page: `editor.value`, `editor.marks = [...]`, `editor.goTo(line)`,
// `editor.insertAfter(line, text)`. Every change is told by an `input` event on the textarea.
// A link to `#line-4` anywhere on the page goes to line 4. Marks: rule, unread, bad, here.

import {defaultKeymap, history, historyKeymap} from '@codemirror/commands';
import {HighlightStyle, syntaxHighlighting} from '@codemirror/language';
import {Compartment, EditorState, RangeSet, StateEffect, StateField} from '@codemirror/state';
import {Decoration, EditorView, GutterMarker, gutter, keymap, lineNumbers} from '@codemirror/view';
import {tags} from '@lezer/highlight';

import {promptLanguage} from './prompt-language.js';

const ICONS = {rule: 'check', unread: 'unread', bad: 'cross', here: 'arrow'};

class LineMark extends GutterMarker {
  constructor(mark, say) {
    super();
    this.mark = mark;
    this.say = say ?? '';
    this.elementClass = `pe-mark pe-mark--${mark}`;
  }

  eq(other) {
    return other.mark === this.mark && other.say === this.say;
  }

  toDOM() {
    const cell = document.createElement('span');
    cell.title = this.say;
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('class', 'icon');
    const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
    use.setAttribute('href', `#i-${ICONS[this.mark]}`);
    svg.append(use);
    cell.append(svg);
    return cell;
  }
}

const setMarks = StateEffect.define();

// A mark speaks about the line as it was read; a line that has been edited since has none.
const marksField = StateField.define({
  create: () => RangeSet.empty,
  update(marks, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(setMarks)) continue;
      const doc = transaction.newDoc;
      const ranges = effect.value
        .filter(({line, mark}) => mark in ICONS && line >= 1 && line <= doc.lines)
        .sort((a, b) => a.line - b.line)
        .map(({line, mark, say}) => new LineMark(mark, say).range(doc.line(line).from));
      return RangeSet.of(ranges);
    }
    if (!transaction.docChanged) return marks;
    const edited = new Set();
    transaction.changes.iterChangedRanges((from, to) => {
      const doc = transaction.startState.doc;
      const last = doc.lineAt(to).number;
      for (let n = doc.lineAt(from).number; n <= last; n += 1) edited.add(doc.line(n).from);
    });
    return marks.update({filter: (from) => !edited.has(from)}).map(transaction.changes);
  },
  provide: (field) => [
    EditorView.decorations.compute([field], (state) => {
      const lines = [];
      for (const cursor = state.field(field).iter(); cursor.value; cursor.next()) {
        const {mark, say} = cursor.value;
        const attributes = say ? {'aria-description': say} : {};
        lines.push(Decoration.line({class: `pe-line pe-line--${mark}`, attributes}).range(cursor.from));
      }
      return Decoration.set(lines);
    }),
    gutter({class: 'pe-marks', markers: (view) => view.state.field(field)}),
  ],
});

const colours = HighlightStyle.define([
  {tag: tags.heading, class: 'pe-heading'},
  {tag: tags.variableName, class: 'pe-variable'},
  {tag: tags.tagName, class: 'pe-tag'},
  {tag: tags.list, class: 'pe-list'},
  {tag: tags.monospace, class: 'pe-code'},
]);

class PromptEditor extends HTMLElement {
  #view = null;
  #textarea = null;
  #writable = new Compartment();

  connectedCallback() {
    const textarea = this.querySelector('textarea');
    if (!textarea || this.#view) return;
    this.#textarea = textarea;
    const about = {role: 'textbox', tabindex: '0', 'aria-multiline': 'true', spellcheck: 'true', autocapitalize: 'sentences'};
    const label = textarea.labels?.[0];
    if (label) about['aria-labelledby'] = label.id ||= `${textarea.id}-label`;
    else about['aria-label'] = textarea.getAttribute('aria-label') ?? '';
    for (const name of ['aria-describedby', 'aria-invalid', 'aria-labelledby']) {
      if (textarea.hasAttribute(name)) about[name] = textarea.getAttribute(name);
    }
    // The site's policy lets only styles with the page's nonce in; without it typing goes wrong.
    const nonce = document.querySelector('script[nonce]')?.nonce ?? '';
    this.#view = new EditorView({
      parent: this,
      state: EditorState.create({
        doc: textarea.value,
        extensions: [
          EditorView.cspNonce.of(nonce),
          lineNumbers(),
          marksField,
          history(),
          // Tab is not bound: it leaves the editor.
          keymap.of([...defaultKeymap, ...historyKeymap]),
          EditorView.lineWrapping,
          promptLanguage,
          syntaxHighlighting(colours),
          EditorView.contentAttributes.of(about),
          this.#writable.of(EditorState.readOnly.of(textarea.readOnly || textarea.disabled)),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) this.#tell();
          }),
        ],
      }),
    });
    textarea.hidden = true;
    textarea.required = false; // a hidden control cannot show the browser's message; the server checks
    label?.addEventListener('click', (event) => {
      event.preventDefault();
      this.#view.focus();
    });
    textarea.form?.addEventListener('reset', () => queueMicrotask(() => this.#replace(textarea.defaultValue)));
    const marks = this.getAttribute('marks');
    if (marks) this.marks = JSON.parse(marks);
    this.classList.add('is-ready');
    this.dispatchEvent(new CustomEvent('prompt-editor:ready', {bubbles: true}));
  }

  disconnectedCallback() {
    this.#view?.destroy();
    this.#view = null;
    if (this.#textarea) this.#textarea.hidden = false;
  }

  get value() {
    return this.#view ? this.#view.state.doc.toString() : this.querySelector('textarea').value;
  }

  set value(text) {
    this.#replace(text);
  }

  set readOnly(readOnly) {
    this.#view.dispatch({effects: this.#writable.reconfigure(EditorState.readOnly.of(readOnly))});
  }

  /** Replaces all marks; `[{line, mark, say}]` with lines counted from 1. */
  set marks(list) {
    this.#view.dispatch({effects: setMarks.of(list)});
  }

  goTo(line) {
    const {doc} = this.#view.state;
    const place = doc.line(Math.min(Math.max(1, line), doc.lines));
    this.#view.dispatch({
      selection: {anchor: place.from, head: place.to},
      effects: EditorView.scrollIntoView(place.from, {y: 'center'}),
    });
    this.#view.focus();
  }

  /** Adds a line below `line` (0: above the first) and puts the cursor at its end. Undo takes it back. */
  insertAfter(line, text) {
    const {doc} = this.#view.state;
    const after = Math.min(Math.max(0, line), doc.lines);
    const from = after === 0 ? 0 : doc.line(after).to;
    const insert = after === 0 ? `${text}\n` : `\n${text}`;
    const end = after === 0 ? text.length : from + insert.length;
    this.#view.dispatch({
      changes: {from, insert},
      selection: {anchor: end},
      effects: EditorView.scrollIntoView(end, {y: 'center'}),
      userEvent: 'input',
    });
    this.#view.focus();
  }

  #replace(text) {
    if (text === this.value) return;
    this.#view.dispatch({changes: {from: 0, to: this.#view.state.doc.length, insert: text}});
  }

  #tell() {
    this.#textarea.value = this.value;
    this.#textarea.dispatchEvent(new Event('input', {bubbles: true}));
  }
}

customElements.define('prompt-editor', PromptEditor);

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href^="#line-"]');
  const editor = document.querySelector('prompt-editor.is-ready');
  const line = Number(link?.hash.slice('#line-'.length));
  if (!editor || !line) return;
  event.preventDefault();
  editor.goTo(line);
});
