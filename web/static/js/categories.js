// The choice of a category, minor ones under their major.

import { h } from "gridmap/dom.js";
import { gettext } from "gridmap/language.js";

export function categorySelect(categories, attributes) {
  return h("select", { required: true, ...attributes }, h("option", { value: "" }, gettext("Choose …")), categories.map((major) => (major.children?.length
    ? h("optgroup", { label: major.name }, major.children.map(({ code, name }) => h("option", { value: code }, name)))
    : h("option", { value: major.code }, major.name))));
}
