// Menus of the bar: one open at a time, closed by a click elsewhere or Escape.

const menus = [...document.querySelectorAll("details.menu")];
const close = (but) => menus.forEach((menu) => { if (menu !== but) menu.open = false; });

menus.forEach((menu) => menu.addEventListener("toggle", () => { if (menu.open) close(menu); }));
addEventListener("click", ({ target }) => close(target.closest("details.menu")));
addEventListener("keydown", ({ key }) => {
  const open = menus.find((menu) => menu.open);
  if (key !== "Escape" || !open) return;
  close();
  open.querySelector("summary").focus();
});
