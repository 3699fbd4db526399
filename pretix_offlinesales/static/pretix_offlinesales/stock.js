/*
 * The stock map. Without this, each range of a line is a link to its row in the table below; with it, what can be done
 * with the range is shown under the line: a copy of what is in that row.
 *
 * The map may come to the page later, so all events are listened for at the document.
 */
(function () {
    "use strict";

    function stretches(line) {
        return [...line.querySelectorAll(":scope > a")];
    }

    function link(event) {
        return event.target.closest(".offlinesales-line > a");
    }

    // One stop of the tab key is enough for a line, even if it has hundreds of ranges. The arrows lead on.
    const TO = {
        ArrowLeft: (index) => index - 1,
        ArrowRight: (index) => index + 1,
        Home: () => 0,
        End: (index, count) => count - 1,
    };

    document.addEventListener("keydown", function (event) {
        const chosen = event.target.closest("[data-offlinesales-chosen]");
        if (event.key === "Escape" && chosen) {
            close(chosen);
        }
        const from = link(event);
        if (!from || !(event.key in TO) || event.ctrlKey || event.altKey || event.metaKey) {
            return;
        }
        const all = stretches(from.parentNode);
        const to = all[TO[event.key](all.indexOf(from), all.length)];
        event.preventDefault();
        if (to) {
            to.focus();
        }
    });

    document.addEventListener("focusin", function (event) {
        const focused = link(event);
        if (focused) {
            stretches(focused.parentNode).forEach((each) => each.setAttribute("tabindex", each === focused ? "0" : "-1"));
        }
    });

    document.addEventListener("click", function (event) {
        const clicked = link(event);
        if (event.target.closest("[data-offlinesales-close]")) {
            close(event.target.closest("[data-offlinesales-chosen]"));
        } else if (clicked && clicked.dataset.offlinesalesStretch && !event.ctrlKey && !event.metaKey) {
            event.preventDefault();
            open(clicked);
        }
    });

    function open(clicked) {
        const row = document.getElementById(clicked.dataset.offlinesalesStretch);
        const chosen = clicked.closest(".offlinesales-stock-line").querySelector("[data-offlinesales-chosen]");
        const actions = row.querySelector("[data-offlinesales-actions]");
        chosen.querySelector("[data-offlinesales-title]").textContent = clicked.getAttribute("aria-label");
        chosen.querySelector("[data-offlinesales-copy]").innerHTML = actions.innerHTML;
        chosen.dataset.of = clicked.dataset.offlinesalesStretch;
        chosen.hidden = false;
        chosen.focus();
    }

    function close(chosen) {
        const of = document.querySelector(`[data-offlinesales-stretch="${chosen.dataset.of}"]`);
        chosen.hidden = true;
        of.focus();
    }
}());
