// Says in words what happened when the browser refuses or cancels a passkey.
const template = document.querySelector("#passkey-problem");
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  document.querySelector("[data-passkey-problem]")?.remove();
  const note = template.content.cloneNode(true).firstElementChild;
  note.dataset.passkeyProblem = "";
  document.querySelector("main h1").after(note);
  note.focus();
});
