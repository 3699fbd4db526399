/*
 * Scanning tickets one after the other. The page works without this: the list is a text field, and the server checks it.
 *
 * A scan takes as long whether it is the tenth or the ten thousandth: what is listed is kept in an array, which is
 * written to the text field when scanning pauses and before the form is sent; of the list only a part is on the page; and
 * what is counted is counted on. What each line means is asked from the server, some lines at a time, together with the
 * fields that are marked with data-offlinesales-asked.
 */
/* global $ */
(function () {
    "use strict";

    const AT_ONCE = 100;
    const SHOWN = 50;
    const PAUSE_MS = 400;
    const RETRY_MS = 2000;

    const form = () => document.querySelector("form[data-offlinesales-scanning]");
    const find = (selector) => form().querySelector(selector);
    const text = () => form().elements.lines;

    // What the server has said of a line: {level, text, tickets: {order code: batch}}.
    const verdicts = new Map();
    const batches = {};
    // The list, oldest first: {line, verdict, row}.
    let entries = [];
    // Lines that the server was not asked about yet, each with its entries.
    let unknown = new Map();
    // Of each ticket the entries that name it. The first one counts, all others list it twice.
    let named = new Map();
    let counts = {};
    // Entries that were scanned, and nobody was told yet what they mean.
    let untold = new Set();
    // What was asked before something else was chosen is answered in vain.
    let question = 0;

    // How many of the newest entries are passed over on the page.
    let newer = 0;
    let asking = false;
    // Why nothing can be asked now.
    let away = "";
    let pause = null;
    let typing = null;
    let audio = null;

    const split = (value) => value.split(/[\r\n]+/).map((line) => line.trim()).filter((line) => line);

    // The list

    function list(line) {
        const entry = {line, verdict: null, row: null};
        entries.push(entry);
        if (verdicts.has(line)) {
            judge(entry);
        } else if (unknown.has(line)) {
            unknown.get(line).push(entry);
        } else {
            unknown.set(line, [entry]);
        }
        return entry;
    }

    function judge(entry) {
        entry.verdict = verdicts.get(entry.line);
        Object.entries(entry.verdict.tickets).forEach(function ([code, batch]) {
            if (!named.has(code)) {
                named.set(code, new Set());
                counts[batch] = (counts[batch] || 0) + 1;
            }
            named.get(code).add(entry);
        });
    }

    function unlist(entry) {
        entries = entries.filter((other) => other !== entry);
        untold.delete(entry);
        if (!entry.verdict) {
            const same = unknown.get(entry.line).filter((other) => other !== entry);
            if (same.length) {
                unknown.set(entry.line, same);
            } else {
                unknown.delete(entry.line);
            }
            return;
        }
        Object.entries(entry.verdict.tickets).forEach(function ([code, batch]) {
            named.get(code).delete(entry);
            if (!named.get(code).size) {
                named.delete(code);
                counts[batch] -= 1;
            }
        });
    }

    function isTwice(entry) {
        const codes = Object.keys(entry.verdict.tickets);
        return codes.length > 0 && codes.every((code) => named.get(code).values().next().value !== entry);
    }

    function levelOf(entry) {
        return !entry.verdict ? "" : isTwice(entry) && entry.verdict.level === "success" ? "warning" : entry.verdict.level;
    }

    function textOf(entry) {
        if (!entry.verdict) {
            return form().dataset.waiting;
        }
        if (!isTwice(entry)) {
            return entry.verdict.text;
        }
        // What else is wrong with it is said all the same.
        const {twice} = form().dataset;
        return entry.verdict.level === "success" ? twice : `${twice}, ${entry.verdict.text}`;
    }

    // The text field

    function write() {
        if (pause) {
            window.clearTimeout(pause);
            pause = null;
            text().value = entries.map((entry) => entry.line).join("\n");
        }
    }

    function writeSoon() {
        window.clearTimeout(pause);
        pause = window.setTimeout(write, PAUSE_MS);
    }

    function read() {
        window.clearTimeout(typing);
        typing = null;
        entries = [];
        unknown = new Map();
        named = new Map();
        counts = {};
        untold = new Set();
        newer = 0;
        split(text().value).forEach(list);
        show();
        ask();
    }

    function add(scan) {
        if (typing) {
            read();
        }
        const fresh = split(scan).map(list);
        if (!fresh.length) {
            return;
        }
        fresh.forEach((entry) => untold.add(entry));
        writeSoon();
        if (newer || fresh.length > SHOWN) {
            newer = 0;
            show();
        } else {
            fresh.forEach(showNewest);
            showAround();
        }
        if (away) {
            sayAway();
        }
        tell();
        ask();
    }

    function remove(entry) {
        unlist(entry);
        writeSoon();
        newer = Math.min(newer, SHOWN * Math.floor(Math.max(entries.length - 1, 0) / SHOWN));
        show();
        find("#offlinesales-scan").focus();
    }

    // What one sees

    function element(name, attributes, ...children) {
        const made = document.createElement(name);
        Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
        made.append(...children);
        return made;
    }

    // The verdict comes first: whoever scans knows the code already.
    function row(entry) {
        const button = element(
            "button",
            {type: "button", class: "btn btn-default btn-xs pull-right flip", "aria-label": `${form().dataset.remove}: ${entry.line}`},
            element("span", {class: "fa fa-times", "aria-hidden": "true"})
        );
        button.tabIndex = -1;
        button.addEventListener("click", () => remove(entry));
        entry.row = element("li", {}, button, element("strong", {}), " ", entry.line);
        entry.row.style.overflowWrap = "anywhere";
        dress(entry);
        return entry.row;
    }

    function dress(entry) {
        entry.row.className = `list-group-item list-group-item-${levelOf(entry)} clearfix`;
        entry.row.querySelector("strong").textContent = textOf(entry);
    }

    function showNewest(entry) {
        const rows = find("[data-offlinesales-verdicts]");
        rows.prepend(row(entry));
        if (rows.children.length > SHOWN) {
            rows.lastElementChild.remove();
        }
    }

    function show() {
        const end = entries.length - newer;
        const rows = entries.slice(Math.max(end - SHOWN, 0), end).reverse().map(row);
        find("[data-offlinesales-verdicts]").replaceChildren(...rows);
        showAround();
    }

    // What is around the rows: the one that Tab comes to, which part of the list they are, and how many are counted.
    function showAround() {
        const rows = find("[data-offlinesales-verdicts]");
        reach(rows.querySelector("button"));
        rows.classList.toggle("hidden", !entries.length);
        const older = entries.length - newer - SHOWN;
        find("[data-offlinesales-pager]").classList.toggle("hidden", newer === 0 && older <= 0);
        find("[data-offlinesales-newer]").disabled = newer === 0;
        find("[data-offlinesales-older]").disabled = older <= 0;
        find("[data-offlinesales-part]").textContent = `${newer + 1}–${Math.min(newer + SHOWN, entries.length)} / ${entries.length}`;
        find("[data-offlinesales-counts]").replaceChildren(
            ...Object.entries(counts).filter(([, amount]) => amount).map(
                ([batch, amount]) => element("p", {}, element("strong", {}, `${amount} × `), batches[batch])
            )
        );
    }

    function turn(by) {
        newer += by;
        show();
    }

    // The whole list is one stop for Tab; from there on, arrow keys lead.
    function reach(button) {
        find("[data-offlinesales-verdicts]").querySelectorAll("button").forEach(function (other) {
            other.tabIndex = other === button ? 0 : -1;
        });
    }

    function onKeyInList(event) {
        const buttons = [...this.querySelectorAll("button")];
        const index = buttons.indexOf(document.activeElement);
        const next = {ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: buttons.length - 1}[event.key];
        if (event.key === "Delete" && index >= 0) {
            event.preventDefault();
            buttons[index].click();
        } else if (next !== undefined) {
            event.preventDefault();
            if (buttons[next]) {
                reach(buttons[next]);
                buttons[next].focus();
            }
        }
    }

    // What one is told, and hears

    function say(message, level) {
        const shown = find("[data-offlinesales-last]");
        shown.className = `alert alert-${level}`;
        shown.style.overflowWrap = "anywhere";
        shown.textContent = find("[data-offlinesales-live]").textContent = message;
    }

    // Once for all that were scanned faster than the server answers: what is wrong must not be missed among them.
    function tell() {
        const known = [...untold].filter((entry) => entry.verdict);
        if (!known.length) {
            return;
        }
        known.forEach((entry) => untold.delete(entry));
        const wrong = known.filter((entry) => levelOf(entry) !== "success");
        const told = wrong.length ? wrong : known.slice(-1);
        say(told.map((entry) => `${textOf(entry)}: ${entry.line}`).join("; "), levelOf(told[told.length - 1]));
        beep(!wrong.length);
    }

    function sayAway() {
        say(away.replace("{amount}", unknown.size), "danger");
        beep(false);
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

    // What the server says

    function ask() {
        const lines = [];
        for (const line of unknown.keys()) {
            if (lines.push(line) === AT_ONCE) {
                break;
            }
        }
        if (asking || !lines.length) {
            return;
        }
        asking = true;
        const body = new FormData();
        body.set("csrfmiddlewaretoken", form().elements.csrfmiddlewaretoken.value);
        body.set("verdicts", "on");
        body.set("lines", lines.join("\n"));
        form().querySelectorAll("[data-offlinesales-asked]").forEach(function (field) {
            if (field.type !== "checkbox" || field.checked) {
                body.set(field.name, field.value);
            }
        });
        const asked = question;
        fetch(window.location.pathname, {method: "POST", body, credentials: "same-origin"})
            .then((response) => isAnswer(response) ? response.json() : Promise.reject(response))
            .then(function (answer) {
                asking = false;
                if (asked !== question) {
                    ask();
                    return;
                }
                Object.assign(batches, answer.batches);
                // Too much at once: that is said when the list is checked as a whole.
                hear(lines, answer.verdicts || lines.map(() => ({level: "warning", text: "…", tickets: {}})));
                ask();
            })
            .catch(function (failure) {
                asking = false;
                // Whoever is not logged in any more is led to where one logs in.
                const why = failure.redirected || failure.status === 403 ? form().dataset.refused : form().dataset.away;
                if (away !== why) {
                    away = why;
                    sayAway();
                }
                window.setTimeout(ask, RETRY_MS);
            });
    }

    function isAnswer(response) {
        return !response.redirected && (response.ok || response.status === 400);
    }

    function hear(lines, said) {
        if (away && !untold.size) {
            find("[data-offlinesales-last]").classList.add("hidden");
        }
        away = "";
        lines.forEach(function (line, index) {
            verdicts.set(line, said[index]);
            const waiting = unknown.get(line) || [];  // it may have been removed meanwhile
            unknown.delete(line);
            waiting.forEach(judge);
            waiting.filter((entry) => entry.row).forEach(dress);
        });
        showAround();
        tell();
    }

    // Where the news is, there is the focus: after a page was sent, and when the host has replaced it by one with errors.
    function focusNews() {
        const news = document.querySelector("[data-offlinesales-news], form[data-offlinesales-scanning] .alert-danger");
        if (news) {
            news.tabIndex = -1;
            news.focus();
        }
        return Boolean(news);
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
        const rows = find("[data-offlinesales-verdicts]");
        rows.style.maxHeight = "20em";
        rows.style.overflowY = "auto";
        rows.addEventListener("keydown", onKeyInList);
        find("[data-offlinesales-newer]").addEventListener("click", () => turn(-SHOWN));
        find("[data-offlinesales-older]").addEventListener("click", () => turn(SHOWN));
        // Open, the text would be laid out anew with every scan.
        const asText = text().closest("details");
        asText.open = Boolean(asText.querySelector(".has-error"));
        asText.addEventListener("toggle", write);
        text().addEventListener("input", function () {
            window.clearTimeout(typing);
            typing = window.setTimeout(read, PAUSE_MS);
        });
        window.addEventListener("pagehide", write);
        // What was typed and not entered is not lost.
        form().addEventListener("submit", function () {
            add(scan.value);
            scan.value = "";
            write();
        });
        // Whoever turns to the text sees all of it.
        text().addEventListener("focus", write);
        read();
        scan.focus();
    }

    function begin() {
        start();
        focusNews();
    }

    $(begin);
    $(document).on("pretix:bind-forms", begin);

    // Who opens a select with the keyboard can go on typing what to look for.
    $(document).on("select2:open", "form[data-offlinesales-scanning] select", function () {
        const search = document.querySelector(".select2-container--open .select2-search__field");
        if (search) {
            search.focus();
        }
    });

    // What is chosen beside the list changes what can be done with it.
    $(document).on("change", "form[data-offlinesales-scanning] [data-offlinesales-asked]", function () {
        question += 1;
        verdicts.clear();
        write();
        read();
    });

    $(function () {
        document.querySelectorAll("[data-offlinesales-print-page]").forEach(function (button) {
            button.classList.remove("hidden");
            button.addEventListener("click", () => window.print());
        });
    });
}());
