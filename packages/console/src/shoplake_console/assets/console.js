// Times in the reader's zone, and newer main parts as the server sends them. Every page works without this file.
"use strict";
const main = document.querySelector("main");
const link = document.getElementById("link");
function tellTimes() {
  for (const time of main.querySelectorAll("time")) time.textContent = new Date(time.dateTime).toLocaleString();
}
function place(element) {
  if (!element || !main.contains(element)) return null;
  if (element.id) return "#" + CSS.escape(element.id);
  const href = element.getAttribute("href");
  return href ? `${element.localName}[href="${CSS.escape(href)}"]` : null;
}
function swap(html) {
  const focused = place(document.activeElement);
  const view = document.getElementById("view");
  const [left, top] = view ? [view.scrollLeft, view.scrollTop] : [0, 0];
  main.innerHTML = html; // the server's own markup: whatever a run says is escaped there, and the policy allows no inline script
  tellTimes();
  const now = document.getElementById("view");
  if (now) now.scrollTo(left, top);
  const again = focused && main.querySelector(focused);
  if (again) again.focus({preventScroll: true});
}
tellTimes();
const first = main.querySelector(".selected, .failed");
if (first && first.scrollIntoView) first.scrollIntoView({block: "nearest", inline: "nearest"});
scrollTo(0, 0);
if (main.dataset.live) {
  const source = new EventSource(main.dataset.live);
  source.addEventListener("main", (event) => { swap(JSON.parse(event.data)); link.textContent = "live"; });
  source.addEventListener("end", () => { source.close(); link.textContent = ""; });
  source.onopen = () => { link.textContent = "live"; };
  source.onerror = () => { link.textContent = "not connected: is shoplake console running?"; };
}
