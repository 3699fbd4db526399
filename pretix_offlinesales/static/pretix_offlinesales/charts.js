/*
 * Charts over time, drawn as the host draws its own: bars, of one or several parts. Who can't see one is read a table
 * with the same numbers.
 */
/* global $, Morris */
$(function () {
    "use strict";

    // Far from each other also for those who see no red or green.
    const COLORS = ["#3b1c4a", "#5bc0de", "#f0ad4e", "#5cb85c", "#d9534f", "#999999"];

    $("[data-offlinesales-chart]").each(function () {
        const chart = $(this);
        const data = JSON.parse($(chart.attr("data-offlinesales-chart")).text());
        const parts = Object.keys(data[0]).filter((key) => key !== "time");
        const most = Math.max(...data.map((bar) => parts.reduce((sum, part) => sum + bar[part], 0)));
        // Left to itself, the scale of few tickets would have lines at fractions of a ticket.
        const scale = most < 100 ? {ymin: 0, ymax: 4 * Math.ceil(most / 4), numLines: 5} : {};
        chart.css("height", "180px");
        new Morris.Bar({
            ...scale,
            element: chart,
            data: data,
            xkey: "time",
            ykeys: parts,
            labels: JSON.parse(chart.attr("data-labels")),
            stacked: true,
            barColors: COLORS,
            hideHover: "auto",
            resize: true
        });
    });
    // What stands beside a name in the legend.
    $("[data-offlinesales-color]").each(function () {
        $(this).css("color", COLORS[$(this).attr("data-offlinesales-color")]);
    });
});
