// Says in words why a passkey was not used, and beforehand where browsers allow none.
const show = (id) => {
  document.querySelector("[data-passkey-problem]")?.remove();
  const note = document.getElementById(id).content.cloneNode(true).firstElementChild;
  note.dataset.passkeyProblem = "";
  document.querySelector("main h1").after(note);
  return note;
};

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  show("passkey-problem").focus();
});

// A passkey belongs to a name; an address of figures has none.
if (/^[\d.]+$|:/.test(location.hostname) && !document.getElementById("passkey_login")) show("passkey-address");
