/*
 * The pages about batches. They work without this; with it they say at once what the server would say later.
 *
 * - a form with data-offlinesales-preview="URL": its values are sent there while they are filled in, and the answer is
 *   shown in [data-offlinesales-preview-target]; with data-offlinesales-preview-long, as what fits into no address;
 * - [data-offlinesales-refresh="name"]: pieces of the page that are fetched anew while something in the page is marked
 *   with [data-offlinesales-working], and after a file was printed;
 * - [data-offlinesales-unknown="name"]: what takes its time to be counted. It is taken from the page that the link in
 *   [data-offlinesales-count] leads to, where it is [data-offlinesales-known="name"]. The texts that go with it are said;
 * - a form with data-offlinesales-done="TEXT" that ends in a download: the text is said then.
 *
 * The host replaces pieces of the page itself (forms with errors), so all events are listened for at the document.
 */
/* global $ */
(function () {
    "use strict";

    const TYPING_MS = 300;
    const REFRESH_MS = 2000;
    const MAX_FAILURES = 5;

    // Preview

    let typing = null;
    let newest = 0;

    function formWithPreview() {
        return document.querySelector("form[data-offlinesales-preview]");
    }

    function preview() {
        const form = formWithPreview();
        if (!form) {
            return;
        }
        const values = new URLSearchParams(new FormData(form));
        values.delete("comment");
        const asked = ++newest;
        ask(form, values)
            .then((response) => response.ok ? response.text() : "")
            .then(function (html) {
                if (asked === newest) {
                    show(form.querySelector("[data-offlinesales-preview-target]"), html);
                }
            })
            .catch(function () {
                // Without the network there is no preview, and the next key asks again.
            });
    }

    function ask(form, values) {
        const address = form.dataset.offlinesalesPreview;
        if ("offlinesalesPreviewLong" in form.dataset) {
            return fetch(address, {method: "POST", body: values, credentials: "same-origin"});
        }
        values.delete("csrfmiddlewaretoken");
        return fetch(address + "?" + values, {credentials: "same-origin"});
    }

    function show(target, html) {
        if (target.innerHTML !== html) {
            target.innerHTML = html;
        }
    }

    $(document).on("input change", "form[data-offlinesales-preview] :input", function () {
        window.clearTimeout(typing);
        typing = window.setTimeout(preview, TYPING_MS);
    });

    function start() {
        const form = formWithPreview();
        if (!form) {
            return;
        }
        const wrong = form.querySelector(".has-error :is(input, select, textarea)");
        if (wrong) {
            wrong.focus();
        }
        preview();
    }

    $(start);
    // The host has replaced the form by one with errors.
    $(document).on("pretix:bind-forms", start);

    // Sending

    // What is hidden because of another choice does not matter, and can't be put right. The server ignores it, too.
    function doesNotMatter(field) {
        const part = field.closest("div[data-display-dependency]");
        return part && !part.getClientRects().length;
    }

    $(document).on("click", "form[data-offlinesales-preview] [type=submit]", function () {
        const wrong = [...this.form.elements].filter((field) => field.willValidate && !field.validity.valid);
        this.form.noValidate = wrong.length > 0 && wrong.every(doesNotMatter);
    });

    // What is folded can't be focused by the browser, which then says nothing. The host folds by itself, with a slide.
    document.addEventListener("invalid", function (event) {
        $(event.target).closest("details").prop("open", true).addClass("details-open")
            .children(":not(summary)").stop(true).removeAttr("style").show();
    }, true);

    // The host's pickers of dates and times keep Enter to themselves.
    document.addEventListener("keydown", function (event) {
        const {target} = event;
        if (event.key === "Enter" && target.matches("form[data-offlinesales-preview] :is(.datepickerfield, .timepickerfield)")) {
            event.preventDefault();
            event.stopPropagation();
            target.form.querySelector("[type=submit]").click();
        }
    }, true);

    // Refresh

    let failures = 0;
    let waiting = null;

    // What one sees of a piece; each answer has other tokens against forged requests.
    function content(piece) {
        const copy = piece.cloneNode(true);
        copy.querySelectorAll("[name=csrfmiddlewaretoken]").forEach((token) => token.remove());
        return copy.innerHTML;
    }

    // Links are the same where they lead to the same page, buttons where their forms do.
    function address(element) {
        return element.tagName + (element.href || (element.form ? element.form.action : ""));
    }

    function replace(piece, replacement) {
        const focused = piece.contains(document.activeElement) ? document.activeElement : null;
        piece.innerHTML = replacement.innerHTML;
        if (focused) {
            const same = [...piece.querySelectorAll("a, button")].find((other) => address(other) === address(focused));
            piece.tabIndex = -1;
            (same || piece).focus();
        }
    }

    function fetchPage(url) {
        return fetch(url, {credentials: "same-origin"})
            .then((response) => response.ok ? response.text() : Promise.reject(response.status))
            .then((html) => new DOMParser().parseFromString(html, "text/html"));
    }

    function refresh() {
        return fetchPage(window.location.href)
            .then(function (fresh) {
                failures = 0;
                fillIn(fresh, document);
                document.querySelectorAll("[data-offlinesales-refresh]").forEach(function (piece) {
                    const name = piece.dataset.offlinesalesRefresh;
                    const replacement = fresh.querySelector(`[data-offlinesales-refresh="${name}"]`);
                    if (!replacement) {
                        // The page is another one now, for example because the only batch could not be made.
                        window.location.reload();
                    } else if (content(piece) !== content(replacement)) {
                        replace(piece, replacement);
                    }
                });
                count();
            })
            .catch(function (status) {
                // Who may not see the page any more won't soon; everything else may pass.
                failures = [403, 404].includes(status) ? MAX_FAILURES : failures + 1;
            })
            .then(refreshWhileWorking);
    }

    function refreshWhileWorking() {
        window.clearTimeout(waiting);
        if (failures < MAX_FAILURES && document.querySelector("[data-offlinesales-working]")) {
            waiting = window.setTimeout(refresh, REFRESH_MS);
        }
    }

    $(refreshWhileWorking);
    $(document).on("pretix:async-task-success", "form[data-asynctask-download]", refresh);

    // Count

    let counting = false;

    // What one page does not know may be known on the other.
    function fillIn(page, other) {
        page.querySelectorAll("[data-offlinesales-unknown]").forEach(function (unknown) {
            const name = unknown.dataset.offlinesalesUnknown;
            const known = [...other.querySelectorAll(`[data-offlinesales-known="${name}"]`)];
            if (known.length) {
                unknown.replaceWith(...known.map((cell) => cell.cloneNode(true)));
            }
        });
    }

    // What is known here was counted before the other page, and would not add up to its total.
    function renew(other) {
        document.querySelectorAll("[data-offlinesales-known]").forEach(function (cell) {
            const alike = `[data-offlinesales-known="${cell.dataset.offlinesalesKnown}"]`;
            const place = [...document.querySelectorAll(alike)].indexOf(cell);
            const later = other.querySelectorAll(alike)[place];
            if (later) {
                cell.innerHTML = later.innerHTML;
            }
        });
    }

    function unknownOnes() {
        const unknown = [...document.querySelectorAll("[data-offlinesales-unknown]")];
        return unknown.map((cell) => cell.dataset.offlinesalesUnknown);
    }

    function count() {
        const asked = unknownOnes();
        if (counting || !asked.length) {
            return;
        }
        counting = true;
        const place = document.querySelector("[data-offlinesales-count]");
        const [status, link] = place.children;
        place.classList.remove("sr-only");
        link.hidden = true;
        status.textContent = status.dataset.offlinesalesCounting;
        fetchPage(link.href)
            .then(function (counted) {
                renew(counted);
                fillIn(document, counted);
                const left = unknownOnes();
                if (!left.length) {
                    status.textContent = status.dataset.offlinesalesCounted;
                    place.classList.add("sr-only");
                    counting = false;
                } else if (document.querySelector("[data-offlinesales-working]")) {
                    // There is a batch more than on the page, which will be refreshed, and counted then.
                    counting = false;
                } else if (!left.some((name) => asked.includes(name))) {
                    // The page was refreshed meanwhile.
                    counting = false;
                    count();
                } else {
                    // It is not the same list any more, or whoever has logged out is asked to log in.
                    throw new Error("not counted");
                }
            })
            .catch(function () {
                // Not again by itself: whoever wants it follows the link.
                status.textContent = status.dataset.offlinesalesFailed;
                link.hidden = false;
            });
    }

    $(count);

    // News: where they are, there is the focus, and the page's title says them.

    const title = document.title;

    function tell(news) {
        news.tabIndex = -1;
        news.focus();
        document.title = `${news.textContent.trim()} ${title}`;
    }

    // The file is downloaded, and the page stays as it is.
    $(document).on("pretix:async-task-success", "form[data-offlinesales-done]", function (event, data) {
        if (data && data.success) {
            $(this).next("[data-offlinesales-told]").remove();
            const news = $('<div class="alert alert-success" data-offlinesales-told></div>').text(this.dataset.offlinesalesDone);
            $(this).after(news);
            tell(news[0]);
        }
    });

    // Why a file could not be made stands in the middle of a page.
    $(function () {
        const failure = document.getElementById(window.location.hash.slice(1));
        if (failure && failure.matches(".alert-danger")) {
            tell(failure);
        }
    });
}());
