// Signs with numbers on a map: those that would cover each other are one, until the map is near enough.

// Groups of places by pixels of the map; each has where its first one lies and their numbers from 1.
export function together(map, places, apart = 15) {
  const groups = [];
  places.forEach(([lon, lat], index) => {
    const at = map.latLngToLayerPoint([lat, lon]);
    const near = groups.find((group) => group.at.distanceTo(at) < apart);
    if (near) near.numbers.push(index + 1);
    else groups.push({ at, lat, lon, numbers: [index + 1] });
  });
  return groups;
}

export function said(numbers) {
  const [first, last] = [numbers[0], numbers.at(-1)];
  if (numbers.length === 1) return String(first);
  return last - first === numbers.length - 1 ? `${first}–${last}` : `${first}+${numbers.length - 1}`;
}
