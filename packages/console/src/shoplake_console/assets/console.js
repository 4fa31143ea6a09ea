// Times in the reader's zone, and newer main parts as the server sends them. Every page works without this file.
"use strict";
const main = document.querySelector("main");
const link = document.getElementById("link");
function ago(milliseconds) {
  const minutes = Math.floor(Math.max(0, milliseconds) / 60000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
}
function tellTimes() {
  for (const time of main.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    const relative = time.dataset.ago !== undefined;
    time.textContent = relative ? ago(Date.now() - at) : at.toLocaleString();
    if (relative) time.title = `${at.toLocaleString()} (${at.toISOString().slice(0, 19).replace("T", " ")} UTC)`;
  }
}
function place(element) {
  if (!element || !main.contains(element)) return null;
  if (element.id) return "#" + CSS.escape(element.id);
  const href = element.getAttribute("href");
  return href ? `${element.localName}[href="${CSS.escape(href)}"]` : null;
}
// The state that is told of stands in the middle of the graph: where it stood before, unless another one is told of now.
let told = "";
function centre() {
  const view = document.getElementById("view");
  const state = view && view.querySelector("svg .selected");
  if (!state || state.dataset.state === told) return;
  told = state.dataset.state;
  const [box, frame] = [state.getBoundingClientRect(), view.getBoundingClientRect()];
  view.scrollBy(box.left + box.width / 2 - frame.left - frame.width / 2, box.top + box.height / 2 - frame.top - frame.height / 2);
}
function swap(html) {
  const focused = place(document.activeElement);
  const view = document.getElementById("view");
  const [left, top] = view ? [view.scrollLeft, view.scrollTop] : [0, 0];
  const open = new Set([...main.querySelectorAll("details")].map((one, i) => (one.open ? i : -1)));
  main.innerHTML = html; // the server's own markup: whatever a run says is escaped there, and the policy allows no inline script
  tellTimes();
  main.querySelectorAll("details").forEach((one, i) => { if (open.has(i)) one.open = true; });
  const now = document.getElementById("view");
  if (now) now.scrollTo(left, top);
  centre();
  const again = focused && main.querySelector(focused);
  if (again) again.focus({preventScroll: true});
}
tellTimes();
centre();
setInterval(tellTimes, 15000);
if (main.dataset.live) {
  const source = new EventSource(main.dataset.live);
  source.addEventListener("main", (event) => { swap(JSON.parse(event.data)); link.textContent = "live"; });
  source.addEventListener("end", () => { source.close(); link.textContent = ""; });
  source.onopen = () => { link.textContent = "live"; };
  source.onerror = () => { link.textContent = "not connected: is shoplake console running?"; };
}
