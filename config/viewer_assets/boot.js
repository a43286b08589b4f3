// Runs before the viewer: where it lives, and what it must never do.
window.PUBLIC_URL = "@@MOUNT@@";

// The published page defines this with a run-time import of any address; here there is none.
function browserImportFunction(address) {
  throw new Error(`Imports at run time are off: ${address}`);
}

// What the viewer remembers goes when the tab is closed, and it sets no cookie: the register of
// cookies (policies/rules/cookies.py) says so, and a test compares.
Object.defineProperty(window, "localStorage", { get: () => window.sessionStorage });
Object.defineProperty(Document.prototype, "cookie", {
  get: Object.getOwnPropertyDescriptor(Document.prototype, "cookie").get,
  set: () => {},
});

// The viewer keeps silent when the server refuses pixels: the picture stays black. A person must
// read why, so every answer of 401 or 403 leads to a page that says so.
(function () {
  const READS = /^(GET|HEAD|OPTIONS)$/;

  function ours(address) {
    try {
      const url = new URL(address, location.href);
      return url.origin === location.origin ? url : null;
    } catch {
      return null;
    }
  }

  function leaveIfRefused(address, status) {
    const url = ours(address);
    if (!url || !url.pathname.startsWith("/dicom-web/")) return;
    if (status === 401) {
      const here = location.pathname + location.search;
      location.replace(`/sign-in/?next=${encodeURIComponent(here)}`);
    } else if (status === 403) {
      const study = url.pathname.match(/^\/dicom-web\/studies\/([0-9.]+)/);
      location.replace(study ? `/viewer/refused/${study[1]}/` : "/");
    }
  }

  function csrfToken() {
    const found = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
    return found ? decodeURIComponent(found[1]) : "";
  }

  const { open, send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (method, address) {
    this.portalRequest = { method: String(method).toUpperCase(), address };
    return open.apply(this, arguments);
  };
  XMLHttpRequest.prototype.send = function () {
    const { method, address } = this.portalRequest;
    if (READS.test(method)) {
      this.addEventListener("load", () => leaveIfRefused(address, this.status));
    } else if (ours(address)) {
      this.setRequestHeader("X-CSRFToken", csrfToken());
    }
    return send.apply(this, arguments);
  };

  const fetchBefore = window.fetch;
  window.fetch = async function (...request) {
    const response = await fetchBefore.apply(this, request);
    leaveIfRefused(response.url, response.status);
    return response;
  };
})();
