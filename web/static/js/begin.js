// What the server gave the page.

export const begin = JSON.parse(document.getElementById("begin").textContent);
export const locale = begin.language === "en" ? "en-GB" : "zh-CN";
