// Ticked rows: one box ticks all, and the sum of data-tick of the ticked is shown: [data-tick-list].

function startTickList(list) {
  const all = list.querySelector('[data-tick-all]');
  const boxes = [...list.querySelectorAll('[data-tick]')];
  const sums = list.querySelectorAll('[data-ticked]');

  function update() {
    const ticked = boxes.filter((box) => box.checked);
    const sum = ticked.reduce((total, box) => total + Number(box.dataset.tick || 1), 0);
    for (const place of sums) place.textContent = sum.toLocaleString('en-HK');
    for (const button of list.querySelectorAll('[data-needs-tick]')) button.disabled = ticked.length === 0;
    if (!all) return;
    all.checked = ticked.length === boxes.length;
    all.indeterminate = ticked.length > 0 && ticked.length < boxes.length;
  }

  all?.addEventListener('change', () => {
    for (const box of boxes) box.checked = all.checked;
    update();
  });
  list.addEventListener('change', update);
  update();
}

export function startTickLists() {
  document.querySelectorAll('[data-tick-list]').forEach(startTickList);
}
