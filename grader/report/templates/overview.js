// Finds, filters and sorts the table of students. Without it the table is there all the same, by points.
(() => {
  const table = document.getElementById("class"), form = document.getElementById("find");
  const body = table.tBodies[0], rows = [...body.rows];
  const words = new Map(rows.map((row) => [row, row.cells[0].textContent.toLowerCase()]));
  let bin = "";

  const show = () => {
    const wanted = form.q.value.toLowerCase().split(/\s+/).filter(Boolean), is = form.verdict.value;
    let count = 0;
    for (const row of rows) {
      const fits = wanted.every((word) => words.get(row).includes(word)) &&
        (!is || row.dataset.is.split(" ").includes(is)) && (!bin || row.dataset.bin === bin);
      row.hidden = !fits;
      count += fits;
    }
    document.getElementById("found").textContent = `${count} of ${rows.length}`;
  };

  const value = (row, column) =>
    column === 1 ? Number(row.cells[1].textContent) : row.cells[column].textContent.trim().toLowerCase();
  const sort = (head, column) => {
    const down = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down > 0 ? "ascending" : "descending");
    rows.sort((a, b) => {
      const [x, y] = [value(a, column), value(b, column)];
      return down * (typeof x === "number" ? x - y : x.localeCompare(y));
    });
    body.append(...rows);
  };

  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (column === 2) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(head, column));
    head.append(button);
  });
  for (const link of document.querySelectorAll("[data-bin]:any-link")) {
    link.addEventListener("click", () => { bin = link.dataset.bin; form.reset(); show(); });
  }
  form.addEventListener("input", () => { bin = ""; show(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  show();
})();
