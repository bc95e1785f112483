/** Texts only ever become text: nothing of an answer is read as HTML. */
export function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function clear(place, ...children) {
  place.replaceChildren(...children);
}

/** Cannot be pressed twice while it works. */
export function button(text, act) {
  const made = element('button', { type: 'button' }, text);
  made.addEventListener('click', async () => {
    made.disabled = true;
    await act().finally(() => {
      made.disabled = false;
    });
  });
  return made;
}

export function field(label, id) {
  return element('input', { id, placeholder: label, 'aria-label': label, maxlength: '100' });
}

export function say(text) {
  return element('p', { class: 'problem', role: 'status' }, text);
}

export function table(heads, rows, id) {
  return element(
    'table',
    id === undefined ? {} : { id },
    element('thead', {}, element('tr', {}, ...heads.map((head) => element('th', {}, head)))),
    element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((cell) => element('td', {}, cell))))),
  );
}

export function when(time) {
  return time == null ? '' : new Date(time).toLocaleString();
}
