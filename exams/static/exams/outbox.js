// Answers that the server has not acknowledged, kept on this computer until it has.
// An answer is written here before it is sent, so a crash or a closed lid loses nothing.
//
// The outbox proper is a database, whose writes take a moment. What was typed a moment ago is
// jotted down in local storage, which is written at once: a page that is closed while it types
// has no later moment. The next page of this attempt takes over what a closed one jotted down.

const DATABASE = "checkride-exam";
const STORE = "saves";
const CLOSING_MS = 3000;

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function openDatabase() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => {
    const store = request.result.createObjectStore(STORE, { keyPath: "id", autoIncrement: true });
    store.createIndex("attempt", "attempt");
  };
  return settled(request);
}

// Whether the new entry may take the place of one that waits: the same answer, never yet sent.
const replaces = (entry) => (waiting) =>
  waiting.clientId === entry.clientId && waiting.position === entry.position && !waiting.tried;

// `write` and `claim` each read and write in one step, since the page writes while the sender
// sends: an answer that is on its way is followed, and one that is replaced is sent as it is now.
//
// Private windows of some browsers have no database: then the answers live as long as the page.
class Memory {
  #entries = new Map();
  #next = 1;

  async add(entry) {
    const id = this.#next++;
    this.#entries.set(id, { ...entry, id });
    return id;
  }

  async write(entry) {
    const waiting = [...this.#entries.values()].findLast(replaces(entry));
    if (!waiting) return this.add(entry);
    this.#entries.set(waiting.id, { ...waiting, payload: entry.payload });
    return waiting.id;
  }

  async claim(id) {
    const entry = this.#entries.get(id);
    if (entry) this.#entries.set(id, { ...entry, tried: true });
    return this.#entries.get(id);
  }

  async remove(id) {
    this.#entries.delete(id);
  }

  async all(attempt) {
    return [...this.#entries.values()].filter((entry) => entry.attempt === attempt);
  }
}

class Stored {
  #database;

  constructor(database) {
    this.#database = database;
  }

  #store(mode) {
    // Strict: "done" means on the disk, not in a buffer.
    return this.#database.transaction(STORE, mode, { durability: "strict" }).objectStore(STORE);
  }

  async add(entry) {
    return settled(this.#store("readwrite").add(entry));
  }

  // Add the entry, or let it take the place of one that was never sent.
  async write(entry) {
    const store = this.#store("readwrite");
    const all = await settled(store.index("attempt").getAll(entry.attempt));
    const waiting = all.findLast(replaces(entry));
    return settled(waiting ? store.put({ ...waiting, payload: entry.payload }) : store.add(entry));
  }

  // The entry as it is now, from now on marked as sent; nothing when it is gone.
  async claim(id) {
    const store = this.#store("readwrite");
    const entry = await settled(store.get(id));
    if (!entry) return undefined;
    const claimed = { ...entry, tried: true };
    await settled(store.put(claimed));
    return claimed;
  }

  async remove(id) {
    return settled(this.#store("readwrite").delete(id));
  }

  // In the order in which they were written.
  async all(attempt) {
    return settled(this.#store("readonly").index("attempt").getAll(attempt));
  }
}

export async function openOutbox(attempt) {
  const outbox = await openDatabase().then((database) => new Stored(database), () => new Memory());
  await takeOver(outbox, attempt);
  return outbox;
}

// Jotting down ----------------------------------------------------------------------------------

const jotName = (entry) => `exam-jot/${entry.attempt}/${entry.clientId}/${entry.position}`;
const lockName = (clientId) => `exam-page/${clientId}`;

// Keep an entry at once; where local storage is closed to us the outbox alone has to do.
export function jot(entry) {
  try {
    localStorage.setItem(jotName(entry), JSON.stringify(entry));
  } catch { /* full or forbidden */ }
}

export function unjot(entry) {
  try {
    localStorage.removeItem(jotName(entry));
  } catch { /* forbidden, so nothing was written either */ }
}

// Hold a lock for as long as this page lives, so that no other page takes over what it jots down.
export function holdPage(clientId) {
  navigator.locks?.request(lockName(clientId), () => new Promise(() => {}));
}

async function takeOver(outbox, attempt) {
  const jots = readJots(attempt);
  const closed = new Map();
  for (const { clientId } of jots) if (!closed.has(clientId)) closed.set(clientId, await isClosed(clientId));
  const known = new Set((await outbox.all(attempt)).map((entry) => `${entry.clientId}/${entry.seq}`));
  for (const entry of jots) {
    if (!closed.get(entry.clientId)) continue;
    if (!known.has(`${entry.clientId}/${entry.seq}`)) await outbox.add(entry);
    unjot(entry);
  }
}

// A page that was closed a moment ago gives up its lock a moment later.
async function isClosed(clientId) {
  if (!navigator.locks) return true;
  try {
    await navigator.locks.request(lockName(clientId), { signal: AbortSignal.timeout(CLOSING_MS) }, () => {});
    return true;
  } catch {
    return false;
  }
}

function readJots(attempt) {
  try {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(`exam-jot/${attempt}/`));
    return names.map((name) => JSON.parse(localStorage.getItem(name))).sort((a, b) => a.seq - b.seq);
  } catch {
    return [];
  }
}
