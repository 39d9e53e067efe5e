// Worker of upload.js: hashes a file while the page stays responsive.
import { Sha256 } from "./sha256.js";

const SLICE = 4 * 2 ** 20;

self.addEventListener("message", async ({ data: file }) => {
  try {
    const hash = new Sha256();
    for (let at = 0; at < file.size; at += SLICE) {
      hash.update(new Uint8Array(await file.slice(at, at + SLICE).arrayBuffer()));
      self.postMessage({ done: Math.min(at + SLICE, file.size) });
    }
    self.postMessage({ sha256: hash.hex() });
  } catch {
    self.postMessage({ failed: true });
  }
});
