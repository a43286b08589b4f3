"use strict";
// Holds a WebAuthn ceremony for each section marked data-passkey.
(() => {
  const csrf = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

  async function post(url, body) {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrf() },
      body: JSON.stringify(body ?? {}),
    });
    const value = await answer.json();
    if (!answer.ok) throw new Error(value.detail || "That did not work. Try again.");
    return value;
  }

  async function ceremony(section) {
    const options = await post(section.dataset.begin);
    const credential =
      section.dataset.passkey === "register"
        ? await navigator.credentials.create({
            publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
          })
        : await navigator.credentials.get({
            publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
          });
    const done = await post(section.dataset.complete, credential.toJSON());
    location.assign(done.next);
  }

  for (const section of document.querySelectorAll("[data-passkey]")) {
    const button = section.querySelector("button");
    const wrong = section.querySelector("[role=alert]");
    if (!window.PublicKeyCredential?.parseCreationOptionsFromJSON) {
      wrong.textContent = "This browser cannot use passkeys. Use a code.";
      wrong.hidden = false;
      continue;
    }
    button.disabled = false;
    button.addEventListener("click", async () => {
      wrong.hidden = true;
      try {
        await ceremony(section);
      } catch (error) {
        wrong.textContent = error.name === "NotAllowedError" ? "It was cancelled. Try again." : error.message;
        wrong.hidden = false;
      }
    });
  }
})();
