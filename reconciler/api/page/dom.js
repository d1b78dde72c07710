// DOM helpers. Data of the daemon only ever becomes text, never markup.

/** The URL of an API path, without credentials that the page's own URL may contain. */
export const apiUrl = (path) => new URL(`api/v1/${path}`, location.origin + location.pathname);

export const byId = (id) => document.getElementById(id);

/** Creates an element; `on…` attributes become listeners, children are nodes or texts. */
export function element(tag, attributes = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) created.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) created.setAttribute(name, value === true ? "" : value);
  }
  created.append(...children.filter((child) => child !== null && child !== undefined));
  return created;
}

/** Sets a text only if it differs, which preserves selections and keeps screen readers quiet. */
export function setText(node, text) {
  if (node.textContent !== String(text)) node.textContent = text;
}

export function setAttribute(node, name, value) {
  if (value === null || value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/** Makes the children of `parent` match `items`; children with a known key are updated in place, so that focus stays. */
export function syncChildren(parent, items, { key, create, update }) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let next = parent.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    let child = known.get(name);
    known.delete(name);
    if (!child) {
      child = create(item);
      child.dataset.key = name;
    }
    update?.(child, item);
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  for (const removed of known.values()) removed.remove();
}
