// Follows an upload until it was taken in or refused, and shows the page's own words for each state.

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
  const answer = await fetch(window.location.pathname, { redirect: "error" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement?.getAttribute("href");
  // The elements stay and their content changes: that is what readers of screens announce.
  for (const id of ["head", "state", "live"]) {
    document.getElementById(id).replaceChildren(...page.getElementById(id).childNodes);
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
