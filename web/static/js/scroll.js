// A table that is wider than the screen is scrolled with the keyboard too; one that fits is no stop for it.
const sized = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const box = target.closest(".scroll");
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
});
for (const box of document.querySelectorAll(".scroll")) [box, ...box.children].forEach((one) => sized.observe(one));
