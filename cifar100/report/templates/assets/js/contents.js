// The contents at the side: where one is, how far one has come.
function contents() {
  const list = document.getElementById("contents");
  // On a narrow screen they lie over the page: a chosen section closes them.
  list.addEventListener("click", (event) => {
    if (event.target.closest("a") && list.matches(":popover-open")) list.hidePopover();
  });
  const here = list.querySelector(".pages > li > [aria-current]");
  if (here && here.offsetTop > list.clientHeight * 0.6) {
    list.scrollTop = here.offsetTop - list.clientHeight / 3;
  }
}

function readingPosition() {
  const links = [...document.querySelectorAll("#contents .sections a")];
  const bar = document.getElementById("read-so-far");
  const sections = links
    .map((link) => [link, document.getElementById(decodeURIComponent(link.hash.slice(1)))])
    .filter(([, heading]) => heading);
  let waiting = false;

  const look = () => {
    waiting = false;
    const length = root.scrollHeight - root.clientHeight;
    bar.style.transform = `scaleX(${length > 0 ? Math.min(1, scrollY / length) : 0})`;
    let current = null;
    for (const [link, heading] of sections) {
      if (heading.getBoundingClientRect().top > innerHeight * 0.3) break;
      current = link;
    }
    for (const [link] of sections) {
      if (link === current) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    }
  };
  const soon = () => {
    if (!waiting) requestAnimationFrame(look);
    waiting = true;
  };
  addEventListener("scroll", soon, { passive: true });
  addEventListener("resize", soon);
  document.addEventListener("toggle", soon, true);
  look();
}
