// Choices that the rest of the page hangs on lead there at once.

document.querySelectorAll("select[data-goes]").forEach((choice) => choice.addEventListener("change", () => choice.form.requestSubmit()));
