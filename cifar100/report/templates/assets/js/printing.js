// Paper cannot be unfolded; solutions stay folded, as on the page. And pictures that
// would have been loaded when scrolled to are wanted at once.
function printing() {
  let opened = [];
  addEventListener("beforeprint", () => {
    for (const picture of document.querySelectorAll("img.in-light, img.in-both")) {
      picture.loading = "eager";
    }
    opened = [...document.querySelectorAll(".code:not(.plumbing) > details:not([open])")];
    for (const block of opened) block.open = true;
  });
  addEventListener("afterprint", () => {
    for (const block of opened) block.open = false;
  });
}
