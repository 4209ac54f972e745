// Fill longitude and latitude from the device.

const button = document.getElementById("here");
if (navigator.geolocation) {
  button.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      document.querySelector("[name=lon]").value = coords.longitude.toFixed(7);
      document.querySelector("[name=lat]").value = coords.latitude.toFixed(7);
      button.disabled = false;
    }, () => { button.hidden = true; }, { enableHighAccuracy: true, timeout: 20000 });
  });
}
