// Prints a paper.
document.querySelector("[data-print]")?.addEventListener("click", () => print());
