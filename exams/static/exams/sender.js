// Sends what lies in the outbox, one answer after the other, until the server has said what
// became of each. Only an acknowledgement with the hash of what was typed removes an answer.

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 20000;
const PATIENCE_MS = 10000;

// Equal to the server's canonical JSON: keys in order, no spaces.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value && typeof value === "object") {
    const parts = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
    return `{${parts.join(",")}}`;
  }
  return JSON.stringify(value);
}

export async function sha256(text) {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Sender {
  #outbox;
  #attempt;
  #csrf;
  #mine;
  #tell;
  #revisions = new Map();
  #wait = FIRST_WAIT_MS;
  #timer = 0;
  #running = null;

  // `mine(entry)` says which answers this page sends: another open tab sends its own.
  // `tell(what, entry, reply)` hears: saved, conflict, late, refused, offline, signed-out.
  constructor({ outbox, attempt, csrf, mine, tell }) {
    this.#outbox = outbox;
    this.#attempt = attempt;
    this.#csrf = csrf;
    this.#mine = mine;
    this.#tell = tell;
  }

  // A rehearsal cuts the connection on purpose: everything behaves as if the network had gone.
  cut = false;

  get csrf() {
    return this.#csrf;
  }

  // Send everything; true when nothing is left to send.
  flush() {
    clearTimeout(this.#timer);
    this.#running ??= this.#sendAll().finally(() => { this.#running = null; });
    return this.#running;
  }

  // For a page that is going away: one request that outlives it, nothing waited for.
  sendLast(entry) {
    this.#post(entry, { keepalive: true }).catch(() => {});
  }

  async #sendAll() {
    for (;;) {
      const waiting = (await this.#outbox.all(this.#attempt)).filter(this.#mine);
      if (waiting.length === 0) return true;
      const entry = await this.#outbox.claim(waiting[0].id);
      if (!entry) continue;
      const outcome = await this.#send(entry);
      if (outcome === "again") {
        this.#retryLater();
        return false;
      }
    }
  }

  #retryLater() {
    // A little chance, so that a hall full of computers does not come back in the same second.
    const wait = this.#wait * (0.75 + Math.random() / 2);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), wait);
  }

  async #send(entry) {
    let response;
    try {
      response = await this.#post(entry, { signal: AbortSignal.timeout(PATIENCE_MS) });
      if (response.status === 403 && (await this.#renewToken())) {
        response = await this.#post(entry, { signal: AbortSignal.timeout(PATIENCE_MS) });
      }
    } catch {
      this.#tell("offline", entry);
      return "again";
    }
    const reply = await response.json().catch(() => ({}));
    switch (response.status) {
      case 200:
        if (reply.payload_sha256 !== (await sha256(canonical(entry.payload)))) {
          return this.#done("refused", entry, {
            message: "The server kept something else than you entered. Load the page again and look.",
          });
        }
        this.#revisions.set(chain(entry), reply.rev);
        return this.#done("saved", entry, reply);
      case 409:
        return this.#done(reply.code === "conflict" ? "conflict" : "refused", entry, reply);
      case 410:
        return this.#done("late", entry, reply);
      case 401:
      case 403:
        this.#tell("signed-out", entry, reply);
        return "again";
      case 404:
      case 413:
      case 422:
        return this.#done("refused", entry, reply);
      default:
        this.#tell("offline", entry, reply);
        return "again";
    }
  }

  async #done(what, entry, reply) {
    this.#wait = FIRST_WAIT_MS;
    await this.#outbox.remove(entry.id);
    this.#tell(what, entry, reply);
    return "done";
  }

  #post(entry, options) {
    if (this.cut) return Promise.reject(new TypeError("The connection is cut."));
    return fetch(entry.url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": this.#csrf },
      credentials: "same-origin",
      redirect: "error",
      body: JSON.stringify({
        client_id: entry.clientId,
        client_seq: entry.seq,
        base_rev: this.#revisions.get(chain(entry)) ?? entry.baseRev,
        payload: entry.payload,
      }),
      ...options,
    });
  }

  // After a new sign-in in another tab the old token is void; this page's address gives a new one.
  async #renewToken() {
    const page = await fetch(location.href, { credentials: "same-origin" });
    const parsed = new DOMParser().parseFromString(await page.text(), "text/html");
    const token = parsed.querySelector("[data-csrf]")?.dataset.csrf;
    if (!token) return false;
    this.#csrf = token;
    return true;
  }
}

const chain = (entry) => `${entry.clientId}/${entry.position}`;
