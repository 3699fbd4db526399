/*
 * Scanning tickets one after the other. The page works without this: the list is a text field, and the server checks it.
 *
 * The text field stays the truth: what is scanned is written there at once, without waiting for anybody, and a line that
 * is removed is removed there. What each line means is asked from the server, some lines at a time.
 */
/* global $ */
(function () {
    "use strict";

    const AT_ONCE = 100;
    const TYPING_MS = 400;
    const RETRY_MS = 2000;

    // Verdicts by line, and what batches are called.
    const verdicts = new Map();
    const batches = {};
    let asking = false;
    let typing = null;
    let audio = null;
    // Lines that were scanned, and nobody was told yet what they mean.
    let scanned = [];

    const form = () => document.querySelector("form[data-offlinesales-scanning]");
    const find = (selector) => form().querySelector(selector);
    const text = () => form().elements.lines;

    function lines() {
        return text().value.split(/[\r\n]+/).map((line) => line.trim()).filter((line) => line);
    }

    function add(scan) {
        const fresh = scan.split(/[\r\n]+/).map((line) => line.trim()).filter((line) => line);
        if (!fresh.length) {
            return;
        }
        text().value = [...lines(), ...fresh].join("\n");
        scanned.push(...fresh);
        tell(show());
        ask();
    }

    function remove(index) {
        text().value = lines().filter((_line, other) => other !== index).join("\n");
        // Who was listed twice may not be any more.
        verdicts.forEach(function (verdict, line) {
            if (verdict.level === "warning") {
                verdicts.delete(line);
            }
        });
        show();
        ask();
        find("#offlinesales-scan").focus();
    }

    // What counts: the first time that a ticket is named.
    function judged() {
        const seen = new Set();
        return lines().map(function (line) {
            const verdict = verdicts.get(line);
            if (!verdict) {
                return {line, level: "", text: form().dataset.waiting, tickets: []};
            }
            const all = Object.entries(verdict.tickets);
            const fresh = all.filter(([code]) => !seen.has(code));
            fresh.forEach(([code]) => seen.add(code));
            const twice = all.length && !fresh.length;
            return {
                line,
                level: twice ? "warning" : verdict.level,
                text: twice ? form().dataset.twice : verdict.text,
                tickets: fresh,
            };
        });
    }

    function element(name, attributes, ...children) {
        const made = document.createElement(name);
        Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
        made.append(...children);
        return made;
    }

    function show() {
        const all = judged();
        const rows = all.map(function (each, index) {
            const button = element(
                "button",
                {type: "button", class: "btn btn-default btn-xs", "aria-label": `${form().dataset.remove}: ${each.line}`},
                element("span", {class: "fa fa-times", "aria-hidden": "true"})
            );
            button.addEventListener("click", () => remove(index));
            const line = element("td", {}, each.line);
            line.style.overflowWrap = "anywhere";
            return element(
                "tr", {class: each.level},
                line, element("td", {}, each.text), element("td", {class: "text-right flip"}, button)
            );
        });
        // The newest on top.
        find("[data-offlinesales-verdicts]").replaceChildren(...rows.reverse());
        const counts = {};
        all.forEach((each) => each.tickets.forEach(([, batch]) => { counts[batch] = (counts[batch] || 0) + 1; }));
        find("[data-offlinesales-counts]").replaceChildren(
            ...Object.entries(counts).map(([batch, amount]) => element("p", {}, element("strong", {}, `${amount} × `), batches[batch]))
        );
        return all;
    }

    // Once for all that were scanned faster than the server answers: what is wrong must not be missed among them.
    function tell(all) {
        const known = scanned.map((line) => all.filter((each) => each.line === line).pop()).filter((each) => each && each.level);
        if (!known.length) {
            return;
        }
        scanned = scanned.filter((line) => !verdicts.has(line));
        const wrong = known.filter((each) => each.level !== "success");
        const told = wrong.length ? wrong : known.slice(-1);
        const message = told.map((each) => `${each.line}: ${each.text}`).join("; ");
        const shown = find("[data-offlinesales-last]");
        shown.className = `alert alert-${told[told.length - 1].level}`;
        shown.style.overflowWrap = "anywhere";
        shown.textContent = message;
        find("[data-offlinesales-live]").textContent = message;
        beep(!wrong.length);
    }

    function beep(good) {
        if (!find("#offlinesales-sound").checked) {
            return;
        }
        try {
            audio = audio || new AudioContext();
            const tone = audio.createOscillator();
            const volume = audio.createGain();
            volume.gain.value = 0.1;
            tone.frequency.value = good ? 880 : 220;
            tone.connect(volume).connect(audio.destination);
            tone.start();
            tone.stop(audio.currentTime + (good ? 0.08 : 0.4));
        } catch (error) {
            // There is nothing to hear it with.
        }
    }

    function ask() {
        const unknown = [...new Set(lines())].filter((line) => !verdicts.has(line)).slice(0, AT_ONCE);
        if (asking || !unknown.length) {
            return;
        }
        asking = true;
        const body = new FormData();
        body.set("csrfmiddlewaretoken", form().elements.csrfmiddlewaretoken.value);
        body.set("verdicts", "on");
        body.set("lines", unknown.join("\n"));
        fetch(window.location.pathname, {method: "POST", body, credentials: "same-origin"})
            .then((response) => response.ok ? response.json() : Promise.reject(response))
            .then(function (answer) {
                Object.assign(batches, answer.batches);
                unknown.forEach((line, index) => verdicts.set(line, answer.verdicts[index]));
                asking = false;
                tell(show());
                ask();
            })
            .catch(function (failure) {
                asking = false;
                if (failure && failure.status === 400) {
                    // Too much at once: that is said when the list is checked as a whole.
                    unknown.forEach((line) => verdicts.set(line, {level: "warning", text: "…", tickets: {}}));
                    show();
                    return ask();
                }
                const shown = find("[data-offlinesales-last]");
                shown.className = "alert alert-warning";
                shown.textContent = form().dataset.away;
                window.setTimeout(ask, RETRY_MS);
            });
    }

    function start() {
        if (!form() || form().dataset.started) {
            return;
        }
        form().dataset.started = "yes";
        find("[data-offlinesales-scanner]").classList.remove("hidden");
        const scan = find("#offlinesales-scan");
        scan.addEventListener("keydown", function (event) {
            if (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey && scan.value)) {
                event.preventDefault();
                add(scan.value);
                scan.value = "";
            }
        });
        scan.addEventListener("paste", function (event) {
            const pasted = event.clipboardData.getData("text");
            if (/[\r\n]/.test(pasted)) {
                event.preventDefault();
                add(pasted);
            }
        });
        text().addEventListener("input", function () {
            window.clearTimeout(typing);
            typing = window.setTimeout(function () {
                show();
                ask();
            }, TYPING_MS);
        });
        // What was typed and not entered is not lost.
        form().addEventListener("submit", function () {
            add(scan.value);
            scan.value = "";
        });
        if (!document.querySelector("form [name=confirmed]")) {
            scan.focus();
        }
        show();
        ask();
    }

    $(start);
    $(document).on("pretix:bind-forms", start);

    $(function () {
        document.querySelectorAll("[data-offlinesales-print-page]").forEach(function (button) {
            button.classList.remove("hidden");
            button.addEventListener("click", () => window.print());
        });
    });
}());
