// The page can be read without this: it sorts the index, and opens all for the printer.
"use strict";
const index = document.querySelector("table.index");
const body = index.tBodies[0];
[...index.tHead.rows[0].cells].forEach((cell, column) => {
  if (cell.classList.contains("reach")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.append(...cell.childNodes);
  cell.append(button);
  button.addEventListener("click", () => {
    const rising = cell.getAttribute("aria-sort") !== "ascending";
    for (const other of index.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    cell.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const value = (row) => {
      const found = row.cells[column].querySelector("data");
      if (found) return Number(found.value);
      return cell.classList.contains("number") ? Infinity : row.cells[column].textContent.trim();
    };
    const rows = [...body.rows].sort((one, two) => {
      const [a, b] = [value(one), value(two)];
      return (a < b ? -1 : a > b ? 1 : 0) * (rising ? 1 : -1);
    });
    body.append(...rows);
  });
});
addEventListener("beforeprint", () => {
  for (const closed of document.querySelectorAll("details:not([open])")) closed.open = true;
});
