// One dialog for everything that is typed: fields with labels, hints and errors at their place.

import {useEffect, useId, useRef, useState, type FormEvent} from 'react';

export interface Field {
  name: string;
  label: string;
  hint?: string;
  value?: string;
  options?: readonly Choice[];
  optional?: boolean;
  rows?: number;
  /** Shown only while this holds of what is typed so far. */
  when?: (values: Values) => boolean;
}

/** A value with its words, or a group of them. */
export type Choice = readonly [value: string, words: string] | {group: string; choices: readonly Choice[]};
export type Values = Record<string, string>;

/** What is wrong: a sentence, at a field or about the whole. */
export interface Wrong {
  field: string | null;
  message: string;
}

export interface Ask {
  title: string;
  deed: string;
  fields: readonly Field[];
  /** Does what was asked for; the result says what was wrong, and is empty when all went well. */
  done: (values: Values) => Promise<readonly Wrong[]>;
  /** A second deed, such as removing what is edited. */
  other?: {words: string; done: () => Promise<readonly Wrong[]>};
}

export function AskDialog({ask, close}: {ask: Ask; close: () => void}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [values, setValues] = useState<Values>(() =>
    Object.fromEntries(ask.fields.map((field) => [field.name, field.value ?? ''])),
  );
  const [wrong, setWrong] = useState<readonly Wrong[]>([]);
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>('input, select, textarea')?.focus();
  }, []);

  const shown = ask.fields.filter((field) => !field.when || field.when(values));
  const atField = (name: string) => wrong.filter((row) => row.field === name).map((row) => row.message);
  const elsewhere = wrong.filter((row) => !shown.some((field) => field.name === row.field));

  const act = async (deed: () => Promise<readonly Wrong[]>) => {
    setBusy(true);
    const found = await deed();
    setBusy(false);
    setWrong(found);
    if (!found.length) close();
    else {
      const first = shown.find((field) => found.some((row) => row.field === field.name));
      const target = first ? `[name="${first.name}"]` : '[data-wrong]';
      setTimeout(() => dialog.current?.querySelector<HTMLElement>(target)?.focus());
    }
  };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const asked = Object.fromEntries(shown.map((field) => [field.name, values[field.name] ?? '']));
    void act(() => ask.done(asked));
  };

  return (
    <dialog ref={dialog} className="mapdialog" aria-labelledby={`${id}-title`} onClose={close}>
      <form className="stack stack--3" onSubmit={submit} noValidate>
        <h2 id={`${id}-title`}>{ask.title}</h2>
        {elsewhere.length > 0 && (
          <div className="note note--bad" role="alert" tabIndex={-1} data-wrong>
            {elsewhere.map((row) => <p key={row.message}>{row.message}</p>)}
          </div>
        )}
        {shown.map((field) => {
          const errors = atField(field.name);
          const about = [
            field.hint ? `${id}-${field.name}-hint` : '',
            errors.length ? `${id}-${field.name}-error` : '',
          ].filter(Boolean).join(' ');
          const common = {
            id: `${id}-${field.name}`,
            name: field.name,
            value: values[field.name] ?? '',
            'aria-describedby': about || undefined,
            'aria-invalid': errors.length > 0 || undefined,
            onChange: (event: {target: {value: string}}) =>
              setValues({...values, [field.name]: event.target.value}),
          };
          return (
            <div className="field" key={field.name}>
              <label htmlFor={common.id}>
                {field.label}
                {field.optional && <span className="optional"> (optional)</span>}
              </label>
              {field.hint && <div className="hint" id={`${common.id}-hint`}>{field.hint}</div>}
              {errors.length > 0 && <p className="error" id={`${common.id}-error`}>{errors.join(' ')}</p>}
              {field.options ? (
                <select {...common}>{options(field.options)}</select>
              ) : field.rows ? (
                <textarea {...common} rows={field.rows} />
              ) : (
                <input {...common} type="text" autoComplete="off" />
              )}
            </div>
          );
        })}
        <div className="row row--tight">
          <button className="btn btn--primary btn--small" type="submit" disabled={busy}>{ask.deed}</button>
          <button className="btn btn--small btn--quiet" type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          {ask.other && (
            <button className="btn btn--small btn--danger" type="button" disabled={busy}
              onClick={() => void act(ask.other!.done)}>
              {ask.other.words}
            </button>
          )}
        </div>
      </form>
    </dialog>
  );
}

function options(choices: readonly Choice[]) {
  return choices.map((choice) =>
    'group' in choice ? (
      <optgroup key={choice.group} label={choice.group}>{options(choice.choices)}</optgroup>
    ) : (
      <option key={choice[0]} value={choice[0]}>{choice[1]}</option>
    ),
  );
}
