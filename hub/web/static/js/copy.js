// A button that copies a text of the page; where the browser does not let it, the text is selected.
document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = document.getElementById("live").textContent = button.dataset.copied;
  } catch {
    getSelection().selectAllChildren(text);
  }
});
