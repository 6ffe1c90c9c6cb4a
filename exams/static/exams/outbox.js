// Answers that the server has not acknowledged, kept on this computer until it has.
// An answer is written here before it is sent, so a crash or a closed lid loses nothing.

const DATABASE = "checkride-exam";
const STORE = "saves";

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

// Private windows of some browsers have no database: then the answers live as long as the page.
class Memory {
  #entries = new Map();
  #next = 1;

  async add(entry) {
    const id = this.#next++;
    this.#entries.set(id, { ...entry, id });
    return id;
  }

  async put(entry) {
    this.#entries.set(entry.id, entry);
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

  async put(entry) {
    return settled(this.#store("readwrite").put(entry));
  }

  async remove(id) {
    return settled(this.#store("readwrite").delete(id));
  }

  // In the order in which they were written.
  async all(attempt) {
    return settled(this.#store("readonly").index("attempt").getAll(attempt));
  }
}

export async function openOutbox() {
  try {
    return new Stored(await openDatabase());
  } catch {
    return new Memory();
  }
}
