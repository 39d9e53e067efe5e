// Follows what is under way on a page, an upload or a release, and shows the page's own words for each state.

const place = document.getElementById("live");
const language = document.documentElement.lang;
const numbers = new Intl.NumberFormat(`${language}-u-nu-latn`, { maximumFractionDigits: 1 });
const megabytes = (bytes) => numbers.format(bytes / 1e6);
let shown = null;

function showBytes({ offset, size }) {
  const bar = place.querySelector("progress");
  const amount = document.getElementById("amount");
  if (!bar || !amount) return;
  bar.max = size;
  bar.value = offset;
  amount.textContent = place.dataset.amount.replace("{done}", megabytes(offset)).replace("{all}", megabytes(size));
}

// Takes the page as the server writes it now: its texts stand in one place, in one language.
async function renew() {
  const answer = await fetch(window.location.href, { redirect: "error" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement?.getAttribute("href");
  // The elements stay and their content changes: that is what readers of screens announce.
  for (const part of document.querySelectorAll("#head, #state, #live")) {
    const present = page.getElementById(part.id);
    if (part.innerHTML !== present.innerHTML) part.replaceChildren(...present.childNodes);
  }
  if (focused) place.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
}

if (place?.dataset.events) {
  const events = new EventSource(place.dataset.events);
  events.addEventListener("state", async ({ data }) => {
    const story = JSON.parse(data);
    if (story.state === "receiving") showBytes(story.upload);
    if (shown !== null && story.state !== shown) await renew();
    shown = story.state;
  });
  events.addEventListener("end", async () => {
    events.close();
    await renew();
  });
}

// Where no events tell of what is under way, it is looked at every few seconds.
async function look() {
  const seconds = place?.querySelector("[data-again]")?.dataset.again;
  if (!seconds) return;
  await new Promise((done) => setTimeout(done, seconds * 1000));
  await renew().catch(() => {}); // the server may be away for a moment
  await look();
}

look();
