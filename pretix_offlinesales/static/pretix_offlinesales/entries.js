/*
 * The chart of entries over time, drawn as the host draws its own. Who can't see it is read a table with the same numbers.
 */
/* global $, Morris */
$(function () {
    "use strict";

    const chart = $("#offlinesales-entries");
    chart.css("height", "180px");
    new Morris.Bar({
        element: chart,
        data: JSON.parse($("#offlinesales-entries-data").text()),
        xkey: "time",
        ykeys: ["count"],
        labels: [chart.attr("data-label")],
        barColors: ["#3b1c4a"],
        hideHover: "auto",
        resize: true
    });
});
