const picture = document.getElementById("picture");
const mirrored = document.getElementById("mirrored");

mirrored.addEventListener("change", () => {
  picture.classList.toggle("turned", mirrored.checked);
  picture.alt = mirrored.checked ? "What others see of you, mirrored" : "What others see of you";
});
picture.addEventListener("error", () => {
  document.getElementById("ended").hidden = false;
});
