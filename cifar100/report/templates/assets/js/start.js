// A part that fails takes no other with it.
document.addEventListener("DOMContentLoaded", () => {
  const parts = [
    themeSwitch, codeSwitch, copyButtons, enlarging, tables, search, contents,
    readingPosition, printing, tabStopsFollowTheLayout,
  ];
  for (const part of parts) {
    try { part(); } catch (error) { console.error(error); }
  }
});
