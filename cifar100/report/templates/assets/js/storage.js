// Storage is refused in some browsers for pages opened from a file: then a choice lasts
// for the page.
const remember = (key, value) => {
  try { localStorage.setItem(`cifar100-${key}`, value); } catch { /* see above */ }
};

const recall = (key) => {
  try { return localStorage.getItem(`cifar100-${key}`); } catch { return null; }
};
