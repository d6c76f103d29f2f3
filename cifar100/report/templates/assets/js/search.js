// Search over all pages. Library and texts are scripts beside the page, added when they
// are first needed: a page opened from a file is not allowed to fetch.
const FOUND_AT_MOST = 30;
const SNIPPET = 170; // characters
const IN_TWO_LANGUAGES = /^(index|verdicts)\b/;

function load(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${address} is missing`));
    document.head.append(script);
  });
}

let searching = null; // a promise of the index

function searchIndex() {
  searching ??= Promise.all([
    load("search/minisearch.js"), load("search/sections.js"),
  ]).then(() => {
    const index = new MiniSearch({
      fields: ["heading", "title", "text"],
      storeFields: ["address", "lang", "title", "heading", "text"],
      searchOptions: {
        boost: { heading: 4, title: 2 },
        combineWith: "AND",
        prefix: true,
        fuzzy: (word) => (word.length > 4 ? 0.2 : false),
        boostDocument: (id, word, { heading }) => (
          heading.toLowerCase().startsWith(word) ? 2 : 1
        ),
      },
    });
    const own = document.documentElement.lang;
    index.addAll(globalThis.cifar100Sections.filter(({ address, lang }) => (
      lang === own || !IN_TWO_LANGUAGES.test(address)
    )));
    return index;
  }).catch((error) => {
    searching = null; // the next word that is typed tries again
    throw error;
  });
  return searching;
}

// The text around the first word that was found, with all found words marked.
function snippet(text, terms) {
  const words = terms.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(`(${words.join("|")})`, "giu");
  const at = Math.max(0, text.search(pattern));
  const from = at < 60 ? 0 : text.indexOf(" ", at - 50) + 1;
  const isCut = from + SNIPPET < text.length;
  const slice = text.slice(from, from + SNIPPET);
  const piece = isCut ? slice.replace(/\s\S*$/, "") : slice;
  const line = document.createElement("p");
  if (from > 0) line.append("… ");
  for (const [place, part] of piece.split(pattern).entries()) {
    if (place % 2 === 0) line.append(part);
    else line.append(Object.assign(document.createElement("mark"), { textContent: part }));
  }
  if (isCut) line.append(" …");
  return line;
}

function entry({ address, lang, title, heading, text, terms }) {
  const link = document.createElement("a");
  link.href = address;
  const where = document.createElement("b");
  where.textContent = heading || title;
  const page = document.createElement("small");
  page.textContent = title;
  link.append(where, page, snippet(text, terms));
  const item = document.createElement("li");
  item.lang = lang;
  item.append(link);
  return item;
}

function search() {
  const dialog = document.getElementById("search");
  const opener = document.getElementById("search-open");
  const words = document.getElementById("search-words");
  const news = document.getElementById("search-news");
  const list = document.getElementById("search-found");

  const look = async () => {
    const asked = words.value.trim();
    let index;
    try {
      index = await searchIndex();
    } catch {
      news.textContent = news.dataset.failed;
      return;
    }
    if (asked !== words.value.trim()) return; // typed on meanwhile
    const found = asked ? index.search(asked) : [];
    list.replaceChildren(...found.slice(0, FOUND_AT_MOST).map(entry));
    const { none, one, many, more } = news.dataset;
    const several = found.length > FOUND_AT_MOST ? more : many;
    const text = found.length === 0 ? none : found.length === 1 ? one : several;
    news.textContent = asked
      ? text.replace("{count}", found.length).replace("{shown}", FOUND_AT_MOST) : "";
  };
  const open = () => {
    if (dialog.open) return;
    dialog.showModal();
    words.select();
    searchIndex().catch(() => {}); // `look` will say so
  };

  opener.addEventListener("click", open);
  opener.hidden = false;
  document.addEventListener("keydown", (event) => {
    if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      open();
    }
  });
  words.addEventListener("input", look);
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("a")) dialog.close();
  });
  // Arrows walk from the words down the list and back; Enter opens the first one found.
  dialog.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // Hangul is being put together
    const links = [...list.querySelectorAll("a")];
    const place = links.indexOf(document.activeElement);
    if (event.key === "Enter" && document.activeElement === words) links[0]?.click();
    else if (event.key === "ArrowDown") links[Math.min(place + 1, links.length - 1)]?.focus();
    else if (event.key === "ArrowUp" && place > 0) links[place - 1].focus();
    else if (event.key === "ArrowUp" && place === 0) words.focus();
    else return;
    event.preventDefault();
  });
}
