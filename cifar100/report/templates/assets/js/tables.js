// Tables that sort by their heads and are filtered by words and choices.
const inWords = new Intl.Collator(undefined, { numeric: true }).compare;

function ascending(a, b) {
  const apart = Number(a) - Number(b);
  return Number.isNaN(apart) ? inWords(a, b) : apart;
}

function sorting(table) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value ?? cell.textContent.trim();
  };
  heads.forEach((head, column) => {
    if (!head.hasAttribute("data-sorts")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows];
      rows.sort((a, b) => {
        const [first, second] = [value(a, column), value(b, column)];
        if (!first || !second) return first ? -1 : second ? 1 : 0; // empty ones stay last
        return up ? ascending(first, second) : ascending(second, first);
      });
      body.append(...rows);
    });
  });
}

function filtering(table) {
  const form = document.querySelector(`[data-filters="${table.id}"]`);
  if (!form) return;
  const words = form.querySelector("input[type=search]");
  const choices = [...form.querySelectorAll("input[type=checkbox]")];
  const news = form.querySelector("[role=status]");
  const rows = [...table.tBodies[0].rows];
  const apply = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kinds = new Set(choices.filter((c) => c.checked).map((c) => c.value));
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !kinds.has(row.dataset.kind) || !wanted.every((w) => text.includes(w));
      shown += !row.hidden;
    }
    news.textContent = news.dataset.text
      .replace("{shown}", shown).replace("{all}", rows.length);
  };
  form.addEventListener("input", apply);
  form.hidden = false;
  apply();
}

function tables() {
  for (const table of document.querySelectorAll("table[data-sortable]")) {
    sorting(table);
    filtering(table);
  }
}
