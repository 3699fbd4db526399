/*
 * The chart of entries over time, drawn as the host draws its own. Who can't see it is read a table with the same numbers.
 */
/* global $, Morris */
$(function () {
    "use strict";

    const chart = $("#offlinesales-entries");
    const entries = JSON.parse($("#offlinesales-entries-data").text());
    const most = Math.max(...entries.map((entry) => entry.count));
    // Left to itself, the scale of few tickets would have lines at fractions of a ticket.
    const scale = most < 100 ? {ymin: 0, ymax: 4 * Math.ceil(most / 4), numLines: 5} : {};
    chart.css("height", "180px");
    new Morris.Bar({
        ...scale,
        element: chart,
        data: entries,
        xkey: "time",
        ykeys: ["count"],
        labels: [chart.attr("data-label")],
        barColors: ["#3b1c4a"],
        hideHover: "auto",
        resize: true
    });
});
