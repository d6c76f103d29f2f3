// A figure enlarges in a dialog, which keeps the focus and gives it back.
function enlarging() {
  const canvases = document.querySelectorAll(".plot .canvas");
  if (canvases.length === 0) return;
  const dialog = document.createElement("dialog");
  dialog.className = "enlarged";
  const close = document.createElement("button");
  close.type = "button";
  close.className = "close";
  close.textContent = "Close";
  const place = document.createElement("div");
  dialog.append(close, place);
  document.body.append(dialog);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside the figure
  });
  dialog.addEventListener("close", () => place.replaceChildren());

  for (const canvas of canvases) {
    const label = canvas.closest("figure").querySelector(".label").textContent;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "enlarge";
    button.textContent = "Enlarge";
    button.setAttribute("aria-label", `Enlarge ${label.replace(/\.$/, "")}`);
    button.addEventListener("click", () => {
      const pictures = [...canvas.querySelectorAll("img")].map((img) => img.cloneNode());
      for (const picture of pictures) picture.loading = "eager";
      place.replaceChildren(...pictures);
      dialog.setAttribute("aria-label", label);
      dialog.showModal();
    });
    canvas.append(button);
  }
}
